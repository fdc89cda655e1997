// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U16;
import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_region_info_cap_type` with its header.
public final class CapTypeLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U16.withName("id"), U16.withName("version"), U32.withName("next"),
        U32.withName("type"), U32.withName("subtype")).withName("vfio_region_info_cap_type");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `id` is.
    public static final long ID = HostOrder.offset(LAYOUT, "id");
    /// Where `version` is.
    public static final long VERSION = HostOrder.offset(LAYOUT, "version");
    /// Where `next` is.
    public static final long NEXT = HostOrder.offset(LAYOUT, "next");
    /// Where `type` is.
    public static final long TYPE = HostOrder.offset(LAYOUT, "type");
    /// Where `subtype` is.
    public static final long SUBTYPE = HostOrder.offset(LAYOUT, "subtype");

    /// `VFIO_REGION_INFO_CAP_TYPE`.
    public static final int CAP_ID = 2;

    private CapTypeLayout() {
    }

    /// The fields.
    ///
    /// @param id u16
    /// @param version u16
    /// @param next u32
    /// @param type u32
    /// @param subtype u32
    public record CapType(int id, int version, long next, long type, long subtype) {
    }

    /// Reads it at that offset.
    public static CapType decode(MemorySegment segment, long offset) {
        return new CapType(HostOrder.u16(segment, offset + ID), HostOrder.u16(segment, offset + VERSION),
            HostOrder.u32(segment, offset + NEXT), HostOrder.u32(segment, offset + TYPE), HostOrder.u32(segment, offset + SUBTYPE));
    }

    /// Writes it at that offset.
    public static void encode(CapType capType, MemorySegment segment, long offset) {
        HostOrder.putU16(segment, offset + ID, capType.id);
        HostOrder.putU16(segment, offset + VERSION, capType.version);
        HostOrder.putU32(segment, offset + NEXT, capType.next);
        HostOrder.putU32(segment, offset + TYPE, capType.type);
        HostOrder.putU32(segment, offset + SUBTYPE, capType.subtype);
    }
}
