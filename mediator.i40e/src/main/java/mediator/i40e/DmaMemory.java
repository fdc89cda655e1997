// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaSpace;

/// Memory of the driver's own that a physical function may reach: one piece, and nothing besides.
final class DmaMemory implements DmaSpace {
    /// Where the function finds it.
    static final long IOVA = 0x1_0000;

    private final MemorySegment memory;

    /// Memory that lives as long as the arena.
    DmaMemory(Arena arena, long size) {
        memory = arena.allocate(size, 4096);
    }

    /// The driver's view.
    MemorySegment memory() {
        return memory;
    }

    @Override
    public void read(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException {
        MemorySegment.copy(memory, at(iova, count), destination, destinationOffset, count);
    }

    @Override
    public void write(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException {
        MemorySegment.copy(source, sourceOffset, memory, at(iova, count), count);
    }

    private long at(long iova, long count) throws VfioException {
        try {
            return Objects.checkFromIndexSize(iova - IOVA, count, memory.byteSize());
        } catch (IndexOutOfBoundsException e) {
            throw new VfioException(Errno.EFAULT, "iova=0x%x count=0x%x expected=mapped".formatted(iova, count));
        }
    }
}
