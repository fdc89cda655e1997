// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;
import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_region_info`; region capabilities may follow, see [RegionCapabilities].
public final class RegionInfoLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U32.withName("argsz"), U32.withName("flags"),
        U32.withName("index"), U32.withName("cap_offset"), U64.withName("size"), U64.withName("offset")).withName("vfio_region_info");
    /// Its bytes without capabilities.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `argsz` is.
    public static final long ARGSZ = HostOrder.offset(LAYOUT, "argsz");
    /// Where `flags` is.
    public static final long FLAGS = HostOrder.offset(LAYOUT, "flags");
    /// Where `index` is.
    public static final long INDEX = HostOrder.offset(LAYOUT, "index");
    /// Where `cap_offset` is: of the first capability, from the start of this structure.
    public static final long CAP_OFFSET = HostOrder.offset(LAYOUT, "cap_offset");
    /// Where `size` is.
    public static final long SIZE = HostOrder.offset(LAYOUT, "size");
    /// Where `offset` is: of byte 0 of the region in the file sent along.
    public static final long OFFSET = HostOrder.offset(LAYOUT, "offset");

    /// `VFIO_REGION_INFO_FLAG_READ`.
    public static final int FLAG_READ = 1;
    /// `VFIO_REGION_INFO_FLAG_WRITE`.
    public static final int FLAG_WRITE = 2;
    /// `VFIO_REGION_INFO_FLAG_MMAP`: a file comes with the complete answer.
    public static final int FLAG_MMAP = 4;
    /// `VFIO_REGION_INFO_FLAG_CAPS`: capabilities follow, the first at `cap_offset`.
    public static final int FLAG_CAPS = 8;

    private RegionInfoLayout() {
    }

    /// The fields.
    ///
    /// @param argsz u32
    /// @param flags u32
    /// @param index u32
    /// @param capOffset u32
    /// @param size u64
    /// @param offset u64
    public record RegionInfo(long argsz, long flags, long index, long capOffset, long size, long offset) {
    }

    /// Reads it at that offset.
    public static RegionInfo decode(MemorySegment segment, long offset) {
        return new RegionInfo(HostOrder.u32(segment, offset + ARGSZ), HostOrder.u32(segment, offset + FLAGS),
            HostOrder.u32(segment, offset + INDEX), HostOrder.u32(segment, offset + CAP_OFFSET), HostOrder.u64(segment, offset + SIZE),
            HostOrder.u64(segment, offset + OFFSET));
    }

    /// Writes it at that offset.
    public static void encode(RegionInfo regionInfo, MemorySegment segment, long offset) {
        HostOrder.putU32(segment, offset + ARGSZ, regionInfo.argsz);
        HostOrder.putU32(segment, offset + FLAGS, regionInfo.flags);
        HostOrder.putU32(segment, offset + INDEX, regionInfo.index);
        HostOrder.putU32(segment, offset + CAP_OFFSET, regionInfo.capOffset);
        HostOrder.putU64(segment, offset + SIZE, regionInfo.size);
        HostOrder.putU64(segment, offset + OFFSET, regionInfo.offset);
    }
}
