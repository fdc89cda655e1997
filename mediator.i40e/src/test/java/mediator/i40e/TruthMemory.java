// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;

/// A guest's memory and the copy of it that is built on the other side: what the guest writes goes to both, byte by byte, and what the
/// device writes reaches the copy only by pages that are reported. The last part of it can be unmapped.
final class TruthMemory implements AutoCloseable {
    static final long IOVA = 0x25_8000_0000L;
    static final long PAGE = 0x1000;
    static final long SIZE = 0x20_0000;
    /// From here on it can be unmapped.
    static final long LOOSE = 0x18_0000;

    static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(SIZE, PAGE);
    private final MemorySegment copy = arena.allocate(SIZE, PAGE);
    private boolean loose = true;

    void map(VfioDevice device) throws VfioException {
        device.dmaMap(new DmaMapping(IOVA, LOOSE, true, true, new DmaBacking.Segment(memory.asSlice(0, LOOSE))));
        mapLoose(device);
    }

    private void mapLoose(VfioDevice device) throws VfioException {
        device.dmaMap(new DmaMapping(IOVA + LOOSE, SIZE - LOOSE, true, true, new DmaBacking.Segment(memory.asSlice(LOOSE))));
    }

    /// Unmaps the last part, or maps it again.
    void toggleLoose(VfioDevice device) throws VfioException {
        if (loose) {
            device.dmaUnmap(IOVA + LOOSE, SIZE - LOOSE);
        } else {
            mapLoose(device);
        }
        loose = !loose;
    }

    void u16(long at, int value) {
        memory.set(U16, at, (short) value);
        copy.set(U16, at, (short) value);
    }

    void u32(long at, int value) {
        memory.set(U32, at, value);
        copy.set(U32, at, value);
    }

    void u64(long at, long value) {
        memory.set(U64, at, value);
        copy.set(U64, at, value);
    }

    void bytes(long at, byte[] bytes) {
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, at, bytes.length);
        MemorySegment.copy(bytes, 0, copy, ValueLayout.JAVA_BYTE, at, bytes.length);
    }

    MemorySegment memory() {
        return memory;
    }

    /// Copies all, as at the start of a migration.
    void copyAll() {
        MemorySegment.copy(memory, 0, copy, 0, SIZE);
    }

    /// Copies a page.
    ///
    /// @return whether it was another than before
    boolean copy(int page) {
        boolean changed = differs(page);
        MemorySegment.copy(memory, page * PAGE, copy, page * PAGE, PAGE);
        return changed;
    }

    /// Whether the copy of a page is not what the guest has.
    boolean differs(int page) {
        long from = page * PAGE;
        return MemorySegment.mismatch(memory, from, from + PAGE, copy, from, from + PAGE) >= 0;
    }

    @Override
    public void close() {
        arena.close();
    }
}
