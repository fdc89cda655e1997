// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U16;
import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_info_cap_header`: what every region capability begins with.
public final class CapHeaderLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U16.withName("id"), U16.withName("version"),
        U32.withName("next")).withName("vfio_info_cap_header");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `id` is.
    public static final long ID = HostOrder.offset(LAYOUT, "id");
    /// Where `version` is.
    public static final long VERSION = HostOrder.offset(LAYOUT, "version");
    /// Where `next` is: of the next capability, from the start of `struct vfio_region_info`; 0 at the end.
    public static final long NEXT = HostOrder.offset(LAYOUT, "next");

    private CapHeaderLayout() {
    }

    /// The fields.
    ///
    /// @param id u16
    /// @param version u16
    /// @param next u32
    public record CapHeader(int id, int version, long next) {
    }

    /// Reads it at that offset.
    public static CapHeader decode(MemorySegment segment, long offset) {
        return new CapHeader(HostOrder.u16(segment, offset + ID), HostOrder.u16(segment, offset + VERSION),
            HostOrder.u32(segment, offset + NEXT));
    }

    /// Writes it at that offset.
    public static void encode(CapHeader capHeader, MemorySegment segment, long offset) {
        HostOrder.putU16(segment, offset + ID, capHeader.id);
        HostOrder.putU16(segment, offset + VERSION, capHeader.version);
        HostOrder.putU32(segment, offset + NEXT, capHeader.next);
    }
}
