// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaSpace;

/// A guest's memory: everything from [#BASE] on for [#SIZE] bytes, and nothing else. Keeps what was written by the device, in order.
public final class TestMemory implements DmaSpace {
    /// First address.
    public static final long BASE = 0x1_0000_0000L;
    /// Bytes.
    public static final long SIZE = 0x40_0000;

    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// A transfer of the device.
    record Transfer(long iova, long count) {
    }

    private final MemorySegment memory = Arena.ofAuto().allocate(SIZE, 4096);
    private final List<Transfer> writes = new ArrayList<>();
    private boolean recording;
    private LongPredicate readable = iova -> true;
    private LongPredicate writable = iova -> true;

    /// The memory itself.
    public MemorySegment segment() {
        return memory;
    }

    long get(long iova) {
        return memory.get(LONG, iova - BASE);
    }

    void set(long iova, long value) {
        memory.set(LONG, iova - BASE, value);
    }

    byte[] bytes(long iova, int count) {
        return memory.asSlice(iova - BASE, count).toArray(ValueLayout.JAVA_BYTE);
    }

    void put(long iova, byte[] bytes) {
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, memory, iova - BASE, bytes.length);
    }

    void readable(LongPredicate which) {
        readable = which;
    }

    void writable(LongPredicate which) {
        writable = which;
    }

    /// What the device writes from now on.
    List<Transfer> record() {
        recording = true;
        writes.clear();
        return writes;
    }

    @Override
    public void read(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException {
        MemorySegment.copy(memory, place(iova, count, readable), destination, destinationOffset, count);
    }

    @Override
    public void write(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException {
        long offset = place(iova, count, writable);
        if (recording) {
            writes.add(new Transfer(iova, count));
        }
        MemorySegment.copy(source, sourceOffset, memory, offset, count);
    }

    private static long place(long iova, long count, LongPredicate allowed) throws VfioException {
        if (Long.compareUnsigned(iova, BASE) < 0 || Long.compareUnsigned(iova - BASE, SIZE - count) > 0 || !allowed.test(iova)) {
            throw new VfioException(Errno.EFAULT, "iova=0x%x count=0x%x expected=mapped".formatted(iova, count));
        }
        return iova - BASE;
    }
}
