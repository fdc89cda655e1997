// SPDX-License-Identifier: Apache-2.0
package itest.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import linux.sys.Fd;

/**
 * A message that came. Its header is {@code u16 id, u16 command, u32 size, u32 flags, u32 errno}.
 *
 * @param flags type, NO_REPLY and ERROR
 * @param payload what follows the header
 * @param fds that came along; whoever looks at the message closes them
 */
public record Message(int id, int command, int flags, int errno, byte[] payload, List<Fd> fds) {
    /** Bytes of a header. */
    public static final int HEADER = 16;
    /** Bits of the flags that are the type. */
    public static final int TYPE = 0xF;
    /** Type of a reply; a command's is 0. */
    public static final int REPLY = 1;
    /** Flag: whoever sends it wants no reply. */
    public static final int NO_REPLY = 0x10;
    /** Flag: of a reply, there is an errno and nothing else. */
    public static final int ERROR = 0x20;

    static final int SIZE_AT = 4;

    /** A message with a size that is right. */
    public static byte[] encode(int id, int command, int flags, byte[] payload) {
        return encode(id, command, HEADER + payload.length, flags, 0, payload);
    }

    /** A message of which nothing need be right. */
    public static byte[] encode(int id, int command, long size, int flags, int errno, byte[] payload) {
        return Bytes.none().u16(id, command).u32(size, flags, errno).raw(payload).array();
    }

    static Message decode(byte[] bytes, List<Fd> fds) {
        ByteBuffer fields = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        byte[] payload = new byte[bytes.length - HEADER];
        fields.get(HEADER, payload);
        return new Message(Short.toUnsignedInt(fields.getShort(0)), Short.toUnsignedInt(fields.getShort(2)), fields.getInt(8),
            fields.getInt(12), payload, fds);
    }

    /** Whether it is a reply. */
    public boolean isReply() {
        return (flags & TYPE) == REPLY;
    }

    /** Whether it is a reply that something went wrong. */
    public boolean isError() {
        return (flags & ERROR) != 0;
    }

    /** Bytes in all. */
    public int size() {
        return HEADER + payload.length;
    }

    /** A 32-bit field of the payload. */
    public long u32(int at) {
        return Integer.toUnsignedLong(fields().getInt(at));
    }

    /** A 64-bit field of the payload. */
    public long u64(int at) {
        return fields().getLong(at);
    }

    /** A 16-bit field of the payload. */
    public int u16(int at) {
        return Short.toUnsignedInt(fields().getShort(at));
    }

    private ByteBuffer fields() {
        return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
    }

    @Override
    public String toString() {
        return "id=0x%x command=%d size=0x%x flags=0x%x errno=%d fds=%d".formatted(id, command, size(), flags, errno, fds.size());
    }
}
