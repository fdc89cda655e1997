// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U16;
import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_region_info_cap_sparse_mmap` with its header; `nr_areas` of [SparseMmapAreaLayout] follow.
public final class SparseMmapLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U16.withName("id"), U16.withName("version"), U32.withName("next"),
        U32.withName("nr_areas"), U32.withName("reserved")).withName("vfio_region_info_cap_sparse_mmap");
    /// Its bytes without areas.
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

    /// `VFIO_REGION_INFO_CAP_SPARSE_MMAP`.
    public static final int CAP_ID = 1;

    private SparseMmapLayout() {
    }

    /// The fields.
    ///
    /// @param id u16
    /// @param version u16
    /// @param next u32
    /// @param nrAreas u32
    /// @param reserved u32
    public record SparseMmap(int id, int version, long next, long nrAreas, long reserved) {
    }

    /// Reads it at that offset.
    public static SparseMmap decode(MemorySegment segment, long offset) {
        return new SparseMmap(HostOrder.u16(segment, offset + ID), HostOrder.u16(segment, offset + VERSION),
            HostOrder.u32(segment, offset + NEXT), HostOrder.u32(segment, offset + NR_AREAS), HostOrder.u32(segment, offset + RESERVED));
    }

    /// Writes it at that offset.
    public static void encode(SparseMmap sparseMmap, MemorySegment segment, long offset) {
        HostOrder.putU16(segment, offset + ID, sparseMmap.id);
        HostOrder.putU16(segment, offset + VERSION, sparseMmap.version);
        HostOrder.putU32(segment, offset + NEXT, sparseMmap.next);
        HostOrder.putU32(segment, offset + NR_AREAS, sparseMmap.nrAreas);
        HostOrder.putU32(segment, offset + RESERVED, sparseMmap.reserved);
    }
}
