// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;
import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// A sub-region of type ioeventfd in the answer to DEVICE_GET_REGION_IO_FDS, as `docs/interop/vfio-user.rst` has it: 40 bytes. libvfio-user
/// put a `shadow_offset` before `datamatch`, 48 bytes; which of the two a peer means follows from the size of the answer.
public final class IoEventFdLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("offset"), U64.withName("size"),
        U32.withName("fd_index"), U32.withName("type"), U32.withName("flags"), U32.withName("padding"), U64.withName("datamatch"))
        .withName("vfio_user_sub_region_ioeventfd");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Its bytes with libvfio-user's field.
    public static final int BYTES_WITH_SHADOW = BYTES + Long.BYTES;
    /// `VFIO_USER_IO_FD_TYPE_IOEVENTFD`.
    public static final int TYPE_IOEVENTFD = 0;
    /// `KVM_IOEVENTFD_FLAG_DATAMATCH`, Linux's `include/uapi/linux/kvm.h`.
    public static final int FLAG_DATAMATCH = 1;
    /// Where `offset` is.
    public static final long OFFSET = HostOrder.offset(LAYOUT, "offset");
    /// Where `size` is.
    public static final long SIZE = HostOrder.offset(LAYOUT, "size");
    /// Where `fd_index` is.
    public static final long FD_INDEX = HostOrder.offset(LAYOUT, "fd_index");
    /// Where `type` is.
    public static final long TYPE = HostOrder.offset(LAYOUT, "type");
    /// Where `flags` is.
    public static final long FLAGS = HostOrder.offset(LAYOUT, "flags");
    /// Where `padding` is.
    public static final long PADDING = HostOrder.offset(LAYOUT, "padding");
    /// Where `datamatch` is.
    public static final long DATAMATCH = HostOrder.offset(LAYOUT, "datamatch");

    private IoEventFdLayout() {
    }

    /// The fields.
    ///
    /// @param offset u64, in the region
    /// @param size u64; 0 when the width of the access does not matter
    /// @param fdIndex u32, among the descriptors that came along
    /// @param type u32
    /// @param flags u32
    /// @param datamatch u64
    public record IoEventFd(long offset, long size, long fdIndex, long type, long flags, long datamatch) {
    }

    /// Reads it at that offset.
    ///
    /// @param bytes of the structure, [#BYTES] or [#BYTES_WITH_SHADOW]
    public static IoEventFd decode(MemorySegment segment, long offset, int bytes) {
        return new IoEventFd(HostOrder.u64(segment, offset + OFFSET), HostOrder.u64(segment, offset + SIZE),
            HostOrder.u32(segment, offset + FD_INDEX), HostOrder.u32(segment, offset + TYPE), HostOrder.u32(segment, offset + FLAGS),
            HostOrder.u64(segment, offset + bytes - Long.BYTES));
    }

    /// Writes it at that offset.
    public static void encode(IoEventFd ioEventFd, MemorySegment segment, long offset) {
        HostOrder.putU64(segment, offset + OFFSET, ioEventFd.offset);
        HostOrder.putU64(segment, offset + SIZE, ioEventFd.size);
        HostOrder.putU32(segment, offset + FD_INDEX, ioEventFd.fdIndex);
        HostOrder.putU32(segment, offset + TYPE, ioEventFd.type);
        HostOrder.putU32(segment, offset + FLAGS, ioEventFd.flags);
        HostOrder.putU32(segment, offset + PADDING, 0);
        HostOrder.putU64(segment, offset + DATAMATCH, ioEventFd.datamatch);
    }
}
