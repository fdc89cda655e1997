// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U16;
import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// A capability of this project, not of VFIO: which areas of the sparse-mmap capability of the same region can be switched to trapped at
/// run time. `nr_areas` is as there; `(nr_areas + 63) / 64` u64 follow, in which bit `i % 64` of number `i / 64` tells of area `i`. Sent
/// only to a client that asked for it, see [VersionCapabilities#disablableAreas()].
public final class CapDisablableLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U16.withName("id"), U16.withName("version"),
        U32.withName("next"), U32.withName("nr_areas"), U32.withName("reserved"))
        .withName("vfio_mediate_region_info_cap_disablable");
    /// Its bytes without the bits.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `id` is.
    public static final long ID = HostOrder.offset(LAYOUT, "id");
    /// Where `version` is.
    public static final long VERSION = HostOrder.offset(LAYOUT, "version");
    /// Where `next` is.
    public static final long NEXT = HostOrder.offset(LAYOUT, "next");
    /// Where `nr_areas` is.
    public static final long NR_AREAS = HostOrder.offset(LAYOUT, "nr_areas");
    /// Where `reserved` is.
    public static final long RESERVED = HostOrder.offset(LAYOUT, "reserved");

    /// Its number, far from those Linux counts up from 1.
    public static final int CAP_ID = 0xD15A;

    private CapDisablableLayout() {
    }

    /// The fields.
    ///
    /// @param id u16
    /// @param version u16
    /// @param next u32
    /// @param nrAreas u32
    /// @param reserved u32
    public record CapDisablable(int id, int version, long next, long nrAreas, long reserved) {
    }

    /// Reads it at that offset.
    public static CapDisablable decode(MemorySegment segment, long offset) {
        return new CapDisablable(HostOrder.u16(segment, offset + ID), HostOrder.u16(segment, offset + VERSION),
            HostOrder.u32(segment, offset + NEXT), HostOrder.u32(segment, offset + NR_AREAS), HostOrder.u32(segment, offset + RESERVED));
    }

    /// Writes it at that offset.
    public static void encode(CapDisablable capDisablable, MemorySegment segment, long offset) {
        HostOrder.putU16(segment, offset + ID, capDisablable.id);
        HostOrder.putU16(segment, offset + VERSION, capDisablable.version);
        HostOrder.putU32(segment, offset + NEXT, capDisablable.next);
        HostOrder.putU32(segment, offset + NR_AREAS, capDisablable.nrAreas);
        HostOrder.putU32(segment, offset + RESERVED, capDisablable.reserved);
    }
}
