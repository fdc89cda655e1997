// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;
import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_dma_map`: memory of the client the device may reach.
public final class DmaMapLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U32.withName("argsz"), U32.withName("flags"),
        U64.withName("offset"), U64.withName("addr"), U64.withName("size")).withName("vfio_user_dma_map");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `argsz` is.
    public static final long ARGSZ = HostOrder.offset(LAYOUT, "argsz");
    /// Where `flags` is.
    public static final long FLAGS = HostOrder.offset(LAYOUT, "flags");
    /// Where `offset` is: of the first byte in the file sent along.
    public static final long OFFSET = HostOrder.offset(LAYOUT, "offset");
    /// Where `addr` is: I/O virtual address.
    public static final long ADDR = HostOrder.offset(LAYOUT, "addr");
    /// Where `size` is.
    public static final long SIZE = HostOrder.offset(LAYOUT, "size");

    /// `VFIO_USER_F_DMA_REGION_READ`: the device may read.
    public static final int REGION_READ = 1;
    /// `VFIO_USER_F_DMA_REGION_WRITE`: the device may write.
    public static final int REGION_WRITE = 2;
    /// `VFIO_USER_F_DMA_REGION_MMAP`: the file is to be mapped; only in libvfio-user's header.
    public static final int REGION_MMAP = 4;
    /// `VFIO_USER_F_DMA_REGION_FILE_IO`: the file is to be read and written; only in libvfio-user's header.
    public static final int REGION_FILE_IO = 8;

    private DmaMapLayout() {
    }

    /// The fields.
    ///
    /// @param argsz u32
    /// @param flags u32
    /// @param offset u64
    /// @param addr u64
    /// @param size u64
    public record DmaMap(long argsz, long flags, long offset, long addr, long size) {
    }

    /// Reads it at that offset.
    public static DmaMap decode(MemorySegment segment, long offset) {
        return new DmaMap(HostOrder.u32(segment, offset + ARGSZ), HostOrder.u32(segment, offset + FLAGS),
            HostOrder.u64(segment, offset + OFFSET), HostOrder.u64(segment, offset + ADDR), HostOrder.u64(segment, offset + SIZE));
    }

    /// Writes it at that offset.
    public static void encode(DmaMap dmaMap, MemorySegment segment, long offset) {
        HostOrder.putU32(segment, offset + ARGSZ, dmaMap.argsz);
        HostOrder.putU32(segment, offset + FLAGS, dmaMap.flags);
        HostOrder.putU64(segment, offset + OFFSET, dmaMap.offset);
        HostOrder.putU64(segment, offset + ADDR, dmaMap.addr);
        HostOrder.putU64(segment, offset + SIZE, dmaMap.size);
    }
}
