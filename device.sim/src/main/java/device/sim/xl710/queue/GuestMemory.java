// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaSpace;

/// The function's memory as its queues use it: a transfer that fails is an answer and a counter. Confined to the engine's thread.
final class GuestMemory {
    private static final DmaSpace NOWHERE = new DmaSpace() {
        @Override
        public void read(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException {
            throw new VfioException(Errno.EFAULT, "iova=0x%x expected=memory lent".formatted(iova));
        }

        @Override
        public void write(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException {
            throw new VfioException(Errno.EFAULT, "iova=0x%x expected=memory lent".formatted(iova));
        }
    };

    private final Supplier<DmaSpace> supplier;
    private final Statistics statistics;
    private DmaSpace space;

    GuestMemory(Supplier<DmaSpace> supplier, Statistics statistics) {
        this.supplier = supplier;
        this.statistics = statistics;
        this.space = NOWHERE;
    }

    /// Takes what the function has now.
    void begin() {
        space = supplier.get();
    }

    /// @return whether all of it was read
    boolean read(long iova, MemorySegment destination, long offset, int count) {
        try {
            space.read(iova, destination, offset, count);
            return true;
        } catch (VfioException unreachable) {
            statistics.dmaFault();
            return false;
        }
    }

    /// @return whether all of it was written
    boolean write(long iova, MemorySegment source, long offset, int count) {
        try {
            space.write(iova, source, offset, count);
            return true;
        } catch (VfioException unreachable) {
            statistics.dmaFault();
            return false;
        }
    }
}
