// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.LongAdder;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaSpace;

/// A function's view of memory: that of its driver while it has one, and nothing else. Counts what fails. Thread-safe.
final class LentDma implements DmaSpace {
    private static final DmaSpace NOTHING = new DmaSpace() {
        @Override
        public void read(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException {
            throw notLent(iova);
        }

        @Override
        public void write(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException {
            throw notLent(iova);
        }
    };

    private final LongAdder faults = new LongAdder();
    private volatile DmaSpace lent = NOTHING;

    /// From now on transfers go there. Those under way go where they began.
    void attach(DmaSpace space) {
        lent = space;
    }

    void detach() {
        lent = NOTHING;
    }

    /// Transfers that failed.
    long faults() {
        return faults.sum();
    }

    @Override
    public void read(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException {
        try {
            lent.read(iova, destination, destinationOffset, count);
        } catch (VfioException e) {
            faults.increment();
            throw e;
        }
    }

    @Override
    public void write(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException {
        try {
            lent.write(iova, source, sourceOffset, count);
        } catch (VfioException e) {
            faults.increment();
            throw e;
        }
    }

    private static VfioException notLent(long iova) {
        return new VfioException(Errno.EFAULT, "iova=0x%x expected=a driver that lends memory".formatted(iova));
    }
}
