// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.function.InterruptKind;

/// The function behind an open device, which may be bound afresh while regions and config space keep this.
final class CurrentFunction extends BoundFunction {
    private volatile BoundFunction now;

    CurrentFunction(BoundFunction first) {
        this.now = first;
    }

    /// Another binding of the function; the one before was closed.
    void replace(BoundFunction next) {
        now = next;
    }

    @Override
    public int configSize() {
        return now.configSize();
    }

    @Override
    public void readConfig(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        now.readConfig(offset, buffer, bufferOffset, count);
    }

    @Override
    public void writeConfig(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        now.writeConfig(offset, buffer, bufferOffset, count);
    }

    @Override
    public void readBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        now.readBar(bar, offset, buffer, bufferOffset, count);
    }

    @Override
    public void writeBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        now.writeBar(bar, offset, buffer, bufferOffset, count);
    }

    @Override
    public void reset() throws VfioException {
        now.reset();
    }

    @Override
    public void vectorEnabled(InterruptKind kind, int vector, boolean enabled) {
        now.vectorEnabled(kind, vector, enabled);
    }

    @Override
    public boolean tapDoorbells(Optional<DoorbellTap> tap) throws VfioException {
        return now.tapDoorbells(tap);
    }

    @Override
    public void close() {
        now.close();
    }
}
