// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_dma_region_access`: of DMA_READ and DMA_WRITE; the data follows where it travels.
public final class DmaRegionAccessLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("addr"),
        U64.withName("count")).withName("vfio_user_dma_region_access");
    /// Its bytes without data.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `addr` is.
    public static final long ADDR = HostOrder.offset(LAYOUT, "addr");
    /// Where `count` is.
    public static final long COUNT = HostOrder.offset(LAYOUT, "count");

    private DmaRegionAccessLayout() {
    }

    /// The fields.
    ///
    /// @param addr u64
    /// @param count u64
    public record DmaRegionAccess(long addr, long count) {
    }

    /// Reads it at that offset.
    public static DmaRegionAccess decode(MemorySegment segment, long offset) {
        return new DmaRegionAccess(HostOrder.u64(segment, offset + ADDR), HostOrder.u64(segment, offset + COUNT));
    }

    /// Writes it at that offset.
    public static void encode(DmaRegionAccess dmaRegionAccess, MemorySegment segment, long offset) {
        HostOrder.putU64(segment, offset + ADDR, dmaRegionAccess.addr);
        HostOrder.putU64(segment, offset + COUNT, dmaRegionAccess.count);
    }
}
