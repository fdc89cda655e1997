// SPDX-License-Identifier: Apache-2.0
package device.sim;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaSpace;

/// Memory of a guest as a device reaches it: one piece from [#BASE] on, of which the first page can be read only. All else faults.
public final class GuestRam implements DmaSpace, AutoCloseable {
    /// Where it starts.
    public static final long BASE = 0x10_0000;
    /// A page that can be read only.
    public static final long READ_ONLY = BASE;
    /// Bytes.
    public static final long SIZE = 0x40_0000;

    private static final long PAGE = 0x1000;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(SIZE, PAGE);
    private volatile boolean reachable = true;

    /// The guest's own view.
    public MemorySegment memory() {
        return memory;
    }

    /// From now on the device reaches it or does not.
    public void reachable(boolean on) {
        reachable = on;
    }

    /// A word as the guest sees it.
    public int get(long iova) {
        return memory.get(INT, iova - BASE);
    }

    /// The guest sets a word.
    public void set(long iova, int value) {
        memory.set(INT, iova - BASE, value);
    }

    /// The guest sets bytes.
    public void set(long iova, byte[] bytes) {
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, iova - BASE, bytes.length);
    }

    /// Bytes as the guest sees them.
    public byte[] get(long iova, int count) {
        return memory.asSlice(iova - BASE, count).toArray(ValueLayout.JAVA_BYTE);
    }

    @Override
    public void read(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException {
        check(iova, count, BASE);
        MemorySegment.copy(memory, iova - BASE, destination, destinationOffset, count);
    }

    @Override
    public void write(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException {
        check(iova, count, BASE + PAGE);
        MemorySegment.copy(source, sourceOffset, memory, iova - BASE, count);
    }

    private void check(long iova, long count, long from) throws VfioException {
        if (!reachable || Long.compareUnsigned(iova, from) < 0 || Long.compareUnsigned(iova - BASE, SIZE - count) > 0) {
            throw new VfioException(Errno.EFAULT, "iova=0x%x count=0x%x expected=mapped".formatted(iova, count));
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
