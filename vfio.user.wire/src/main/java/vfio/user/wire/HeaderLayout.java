// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U16;
import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_header`: what every message begins with.
public final class HeaderLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U16.withName("msg_id"), U16.withName("cmd"),
        U32.withName("msg_size"), U32.withName("flags"), U32.withName("error_no")).withName("vfio_user_header");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `msg_id` is: chosen by the sender, echoed in the reply.
    public static final long MSG_ID = HostOrder.offset(LAYOUT, "msg_id");
    /// Where `cmd` is.
    public static final long CMD = HostOrder.offset(LAYOUT, "cmd");
    /// Where `msg_size` is: bytes of the whole message, header included.
    public static final long MSG_SIZE = HostOrder.offset(LAYOUT, "msg_size");
    /// Where `flags` is.
    public static final long FLAGS = HostOrder.offset(LAYOUT, "flags");
    /// Where `error_no` is: a positive errno, of a reply with [#F_ERROR].
    public static final long ERROR_NO = HostOrder.offset(LAYOUT, "error_no");

    /// `VFIO_USER_F_TYPE_MASK`.
    public static final int F_TYPE_MASK = 0xF;
    /// `VFIO_USER_F_TYPE_COMMAND`.
    public static final int F_TYPE_COMMAND = 0;
    /// `VFIO_USER_F_TYPE_REPLY`.
    public static final int F_TYPE_REPLY = 1;
    /// `VFIO_USER_F_NO_REPLY`: the sender wants no reply.
    public static final int F_NO_REPLY = 0x10;
    /// `VFIO_USER_F_ERROR`: the reply is this header alone.
    public static final int F_ERROR = 0x20;

    private HeaderLayout() {
    }

    /// The fields.
    ///
    /// @param msgId u16
    /// @param cmd u16
    /// @param msgSize u32
    /// @param flags u32
    /// @param errorNo u32
    public record Header(int msgId, int cmd, long msgSize, int flags, long errorNo) {
        /// Whether it is a reply.
        public boolean reply() {
            return (flags & F_TYPE_MASK) == F_TYPE_REPLY;
        }

        /// Whether it is an error.
        public boolean error() {
            return (flags & F_ERROR) != 0;
        }
    }

    /// Reads it at that offset.
    public static Header decode(MemorySegment segment, long offset) {
        return new Header(HostOrder.u16(segment, offset + MSG_ID), HostOrder.u16(segment, offset + CMD),
            HostOrder.u32(segment, offset + MSG_SIZE), segment.get(U32, offset + FLAGS), HostOrder.u32(segment, offset + ERROR_NO));
    }

    /// Writes it at that offset.
    public static void encode(Header header, MemorySegment segment, long offset) {
        encode(segment, offset, header.msgId, header.cmd, header.msgSize, header.flags, header.errorNo);
    }

    /// Writes it at that offset, from numbers: nothing is allocated.
    public static void encode(MemorySegment segment, long offset, int msgId, int cmd, long msgSize, int flags, long errorNo) {
        HostOrder.putU16(segment, offset + MSG_ID, msgId);
        HostOrder.putU16(segment, offset + CMD, cmd);
        HostOrder.putU32(segment, offset + MSG_SIZE, msgSize);
        HostOrder.putU32(segment, offset + FLAGS, flags);
        HostOrder.putU32(segment, offset + ERROR_NO, errorNo);
    }
}
