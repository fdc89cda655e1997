// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.function.InterruptKind;

/// A simulated function in the hands of its driver. Every call takes the device's lock and looks whether the binding is still in force, so
/// that nothing lent is touched after [#close()] has returned.
final class Binding extends BoundFunction {
    private final SimulatedFunction function;
    private final DeviceModel model;
    private final String driver;

    Binding(SimulatedFunction function, String driver) {
        this.function = function;
        this.model = function.model();
        this.driver = driver;
    }

    String driver() {
        return driver;
    }

    @Override
    public int configSize() {
        return model.configSize();
    }

    @Override
    public void readConfig(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        synchronized (model.lock()) {
            checkBoundLocked();
            model.readConfigLocked(offset, buffer, bufferOffset, count);
        }
    }

    @Override
    public void writeConfig(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        boolean reset;
        synchronized (model.lock()) {
            checkBoundLocked();
            reset = model.writeConfigLocked(offset, buffer, bufferOffset, count);
        }
        if (reset) {
            model.settle();
        }
    }

    @Override
    public void readBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        synchronized (model.lock()) {
            checkBoundLocked();
            model.spaceLocked(bar).read(offset, buffer, bufferOffset, count);
        }
    }

    @Override
    public void writeBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        synchronized (model.lock()) {
            checkBoundLocked();
            BarSpace space = model.spaceLocked(bar);
            space.write(offset, buffer, bufferOffset, count);
            if (space.reachesMemory(offset, count)) {
                model.memoryWrittenLocked(bar, offset, count);
            }
        }
    }

    @Override
    public void reset() throws VfioException {
        synchronized (model.lock()) {
            checkBoundLocked();
            model.resetLocked();
        }
        model.settle();
    }

    @Override
    public void vectorEnabled(InterruptKind kind, int vector, boolean enabled) {
        synchronized (model.lock()) {
            if (enabled && function.isBoundLocked(this)) {
                model.vectorEnabledLocked(kind, vector);
            }
        }
    }

    @Override
    public boolean tapDoorbells(Optional<DoorbellTap> tap) throws VfioException {
        synchronized (model.lock()) {
            checkBoundLocked();
        }
        return model.tapDoorbells(tap);
    }

    @Override
    public void close() {
        function.unbind(this);
    }

    private void checkBoundLocked() throws VfioException {
        if (!function.isBoundLocked(this)) {
            throw new VfioException(Errno.ENODEV, "address=%s driver=%s expected=bound".formatted(function.address(), driver));
        }
    }
}
