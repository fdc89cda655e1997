// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;
import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// One write of REGION_WRITE_MULTI: at most 8 bytes, the first `count` of `data`.
public final class RegionWriteEntryLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("offset"), U32.withName("region"),
        U32.withName("count"), U64.withName("data")).withName("vfio_user_region_write_entry");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `offset` is.
    public static final long OFFSET = HostOrder.offset(LAYOUT, "offset");
    /// Where `region` is.
    public static final long REGION = HostOrder.offset(LAYOUT, "region");
    /// Where `count` is.
    public static final long COUNT = HostOrder.offset(LAYOUT, "count");
    /// Where `data` is.
    public static final long DATA = HostOrder.offset(LAYOUT, "data");

    private RegionWriteEntryLayout() {
    }

    /// The fields.
    ///
    /// @param offset u64
    /// @param region u32
    /// @param count u32
    /// @param data u64
    public record RegionWriteEntry(long offset, long region, long count, long data) {
    }

    /// Reads it at that offset.
    public static RegionWriteEntry decode(MemorySegment segment, long offset) {
        return new RegionWriteEntry(HostOrder.u64(segment, offset + OFFSET), HostOrder.u32(segment, offset + REGION),
            HostOrder.u32(segment, offset + COUNT), HostOrder.u64(segment, offset + DATA));
    }

    /// Writes it at that offset.
    public static void encode(RegionWriteEntry regionWriteEntry, MemorySegment segment, long offset) {
        HostOrder.putU64(segment, offset + OFFSET, regionWriteEntry.offset);
        HostOrder.putU32(segment, offset + REGION, regionWriteEntry.region);
        HostOrder.putU32(segment, offset + COUNT, regionWriteEntry.count);
        HostOrder.putU64(segment, offset + DATA, regionWriteEntry.data);
    }
}
