// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.InterruptVectors;
import vfio.pci.api.function.LentResources;
import vfio.pci.api.function.PciFunction;

/// A function whose config space is what the test wrote there, and which can be bound by whom the test says.
class ScriptedFunction implements PciFunction {
    private static final int SRIOV = 0x160;

    final List<String> calls = new ArrayList<>();
    private final byte[] config = new byte[4096];
    private final PciAddress address;
    private final PciId id;
    private Optional<String> driver = Optional.empty();
    private Runnable driverChanged = () -> { };

    ScriptedFunction(String address, int device) {
        this.address = PciAddress.parse(address);
        this.id = new PciId(0x8086, device, 0x020000, 0, 0, 0);
    }

    /// A physical function with an AER capability and then SR-IOV.
    static ScriptedFunction physical(String address, int count, int offset, int stride) {
        ScriptedFunction function = new ScriptedFunction(address, 0x1583);
        function.dword(0x100, 0x1 | 2 << 16 | SRIOV << 20);
        function.sriov(count > 0, count, offset, stride);
        return function;
    }

    void sriov(boolean enabled, int count, int offset, int stride) {
        dword(SRIOV, 0x10 | 1 << 16);
        dword(SRIOV + 0x08, enabled ? 1 : 0);
        dword(SRIOV + 0x10, count);
        dword(SRIOV + 0x14, offset | stride << 16);
    }

    void dword(int at, int value) {
        for (int i = 0; i < 4; i++) {
            config[at + i] = (byte) (value >>> 8 * i);
        }
    }

    void onDriverChanged(Runnable listener) {
        driverChanged = listener;
    }

    /// Another driver comes, or goes.
    void boundBy(Optional<String> other) {
        driver = other;
        driverChanged.run();
    }

    /// Comes between the refusal and the driver hearing of it.
    void refused() {
        // Nothing does.
    }

    @Override
    public PciAddress address() {
        return address;
    }

    @Override
    public PciId id() {
        return id;
    }

    @Override
    public List<Bar> bars() {
        return List.of(new Bar(0, Bar.Kind.MEMORY_64, true, 0x80_0000, List.of()));
    }

    @Override
    public InterruptVectors interruptVectors() {
        return new InterruptVectors(1, 1, 129);
    }

    @Override
    public Optional<PciAddress> physicalFunction() {
        return Optional.empty();
    }

    @Override
    public Optional<String> driver() {
        return driver;
    }

    @Override
    public BoundFunction bind(String name, LentResources lent) throws VfioException {
        if (driver.isPresent()) {
            String other = driver.get();
            calls.add("refused " + name);
            refused();
            throw new VfioException(Errno.EBUSY, "driver=" + other);
        }
        calls.add("bound " + name);
        driver = Optional.of(name);
        driverChanged.run();
        return new Bound();
    }

    private final class Bound extends BoundFunction {
        private boolean open = true;

        @Override
        public int configSize() {
            return config.length;
        }

        @Override
        public void readConfig(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            if (!open) {
                throw new VfioException(Errno.ENODEV, "closed");
            }
            MemorySegment.copy(config, (int) offset, buffer, ValueLayout.JAVA_BYTE, bufferOffset, count);
        }

        @Override
        public void writeConfig(long offset, MemorySegment buffer, long bufferOffset, int count) {
            throw new AssertionError("writeConfig");
        }

        @Override
        public void readBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) {
            throw new AssertionError("readBar");
        }

        @Override
        public void writeBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) {
            throw new AssertionError("writeBar");
        }

        @Override
        public void reset() {
            throw new AssertionError("reset");
        }

        @Override
        public void close() {
            open = false;
            calls.add("unbound");
            driver = Optional.empty();
            driverChanged.run();
        }
    }
}
