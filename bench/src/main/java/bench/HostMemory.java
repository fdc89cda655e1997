// SPDX-License-Identifier: Apache-2.0
package bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.function.Interrupts;
import vfio.pci.api.function.LentResources;

/// What a driver that only reads registers lends a function: memory behind the BARs, no guest, nobody who takes interrupts.
final class HostMemory implements LentResources, DmaSpace, Interrupts {
    private static final long LARGEST_BAR = 0x10000;

    private final Arena arena = Arena.ofAuto();

    @Override
    public MemorySegment barMemory(int bar) {
        return arena.allocate(LARGEST_BAR, 0x1000);
    }

    @Override
    public DmaSpace dma() {
        return this;
    }

    @Override
    public Interrupts interrupts() {
        return this;
    }

    @Override
    public void read(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException {
        throw unmapped(iova);
    }

    @Override
    public void write(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException {
        throw unmapped(iova);
    }

    private static VfioException unmapped(long iova) {
        return new VfioException(Errno.EFAULT, "iova=0x%x expected=mapped".formatted(iova));
    }

    @Override
    public boolean raise(InterruptKind kind, int vector) {
        return false;
    }

    @Override
    public void intx(boolean asserted) {
        // Nobody listens.
    }
}
