// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;
import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_region_access`: of REGION_READ and REGION_WRITE; the data follows where it travels.
public final class RegionAccessLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("offset"), U32.withName("region"),
        U32.withName("count")).withName("vfio_user_region_access");
    /// Its bytes without data.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `offset` is.
    public static final long OFFSET = HostOrder.offset(LAYOUT, "offset");
    /// Where `region` is.
    public static final long REGION = HostOrder.offset(LAYOUT, "region");
    /// Where `count` is.
    public static final long COUNT = HostOrder.offset(LAYOUT, "count");

    private RegionAccessLayout() {
    }

    /// The fields.
    ///
    /// @param offset u64
    /// @param region u32
    /// @param count u32
    public record RegionAccess(long offset, long region, long count) {
    }

    /// Reads it at that offset.
    public static RegionAccess decode(MemorySegment segment, long offset) {
        return new RegionAccess(HostOrder.u64(segment, offset + OFFSET), HostOrder.u32(segment, offset + REGION),
            HostOrder.u32(segment, offset + COUNT));
    }

    /// Writes it at that offset.
    public static void encode(RegionAccess regionAccess, MemorySegment segment, long offset) {
        HostOrder.putU64(segment, offset + OFFSET, regionAccess.offset);
        HostOrder.putU32(segment, offset + REGION, regionAccess.region);
        HostOrder.putU32(segment, offset + COUNT, regionAccess.count);
    }
}
