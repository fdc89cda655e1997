// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_region_io_fds_request`, and the head of the reply, which `count` sub-regions follow.
public final class RegionIoFdsLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U32.withName("argsz"), U32.withName("flags"),
        U32.withName("index"), U32.withName("count")).withName("vfio_user_region_io_fds_request");
    /// Its bytes without sub-regions.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `argsz` is.
    public static final long ARGSZ = HostOrder.offset(LAYOUT, "argsz");
    /// Where `flags` is.
    public static final long FLAGS = HostOrder.offset(LAYOUT, "flags");
    /// Where `index` is.
    public static final long INDEX = HostOrder.offset(LAYOUT, "index");
    /// Where `count` is.
    public static final long COUNT = HostOrder.offset(LAYOUT, "count");

    private RegionIoFdsLayout() {
    }

    /// The fields.
    ///
    /// @param argsz u32
    /// @param flags u32
    /// @param index u32
    /// @param count u32
    public record RegionIoFds(long argsz, long flags, long index, long count) {
    }

    /// Reads it at that offset.
    public static RegionIoFds decode(MemorySegment segment, long offset) {
        return new RegionIoFds(HostOrder.u32(segment, offset + ARGSZ), HostOrder.u32(segment, offset + FLAGS),
            HostOrder.u32(segment, offset + INDEX), HostOrder.u32(segment, offset + COUNT));
    }

    /// Writes it at that offset.
    public static void encode(RegionIoFds regionIoFds, MemorySegment segment, long offset) {
        HostOrder.putU32(segment, offset + ARGSZ, regionIoFds.argsz);
        HostOrder.putU32(segment, offset + FLAGS, regionIoFds.flags);
        HostOrder.putU32(segment, offset + INDEX, regionIoFds.index);
        HostOrder.putU32(segment, offset + COUNT, regionIoFds.count);
    }
}
