// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;
import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_dma_unmap`: memory that is to be unreachable from now on.
public final class DmaUnmapLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U32.withName("argsz"), U32.withName("flags"),
        U64.withName("addr"), U64.withName("size")).withName("vfio_user_dma_unmap");
    /// Its bytes without a bitmap.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `argsz` is.
    public static final long ARGSZ = HostOrder.offset(LAYOUT, "argsz");
    /// Where `flags` is.
    public static final long FLAGS = HostOrder.offset(LAYOUT, "flags");
    /// Where `addr` is.
    public static final long ADDR = HostOrder.offset(LAYOUT, "addr");
    /// Where `size` is.
    public static final long SIZE = HostOrder.offset(LAYOUT, "size");

    /// `VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP`: only in libvfio-user's header; a `struct vfio_user_bitmap` follows.
    public static final int FLAG_GET_DIRTY_BITMAP = 1;
    /// `VFIO_DMA_UNMAP_FLAG_ALL`: everything, address and size are 0; only in libvfio-user's header.
    public static final int FLAG_ALL = 2;

    private DmaUnmapLayout() {
    }

    /// The fields.
    ///
    /// @param argsz u32
    /// @param flags u32
    /// @param addr u64
    /// @param size u64
    public record DmaUnmap(long argsz, long flags, long addr, long size) {
    }

    /// Reads it at that offset.
    public static DmaUnmap decode(MemorySegment segment, long offset) {
        return new DmaUnmap(HostOrder.u32(segment, offset + ARGSZ), HostOrder.u32(segment, offset + FLAGS),
            HostOrder.u64(segment, offset + ADDR), HostOrder.u64(segment, offset + SIZE));
    }

    /// Writes it at that offset.
    public static void encode(DmaUnmap dmaUnmap, MemorySegment segment, long offset) {
        HostOrder.putU32(segment, offset + ARGSZ, dmaUnmap.argsz);
        HostOrder.putU32(segment, offset + FLAGS, dmaUnmap.flags);
        HostOrder.putU64(segment, offset + ADDR, dmaUnmap.addr);
        HostOrder.putU64(segment, offset + SIZE, dmaUnmap.size);
    }
}
