// SPDX-License-Identifier: Apache-2.0
package itest.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bytes put together field by field, in the order of this machine. */
public final class Bytes {
    private ByteBuffer buffer = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());

    private Bytes() {
    }

    /** None yet. */
    public static Bytes none() {
        return new Bytes();
    }

    /** Adds 8-bit fields. */
    public Bytes u8(int... values) {
        for (int value : values) {
            room(Byte.BYTES).put((byte) value);
        }
        return this;
    }

    /** Adds 16-bit fields. */
    public Bytes u16(int... values) {
        for (int value : values) {
            room(Short.BYTES).putShort((short) value);
        }
        return this;
    }

    /** Adds 32-bit fields. */
    public Bytes u32(long... values) {
        for (long value : values) {
            room(Integer.BYTES).putInt((int) value);
        }
        return this;
    }

    /** Adds 64-bit fields. */
    public Bytes u64(long... values) {
        for (long value : values) {
            room(Long.BYTES).putLong(value);
        }
        return this;
    }

    /** Adds bytes as they are. */
    public Bytes raw(byte... bytes) {
        room(bytes.length).put(bytes);
        return this;
    }

    /** Adds text with its terminating NUL. */
    public Bytes text(String text) {
        return raw(text.getBytes(StandardCharsets.UTF_8)).u8(0);
    }

    /** Adds that many zeros. */
    public Bytes zeros(int count) {
        return raw(new byte[count]);
    }

    /** All of them. */
    public byte[] array() {
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    private ByteBuffer room(int bytes) {
        if (buffer.remaining() < bytes) {
            int capacity = Math.max(2 * buffer.capacity(), buffer.position() + bytes);
            buffer = ByteBuffer.allocate(capacity).order(ByteOrder.nativeOrder()).put(buffer.flip());
        }
        return buffer;
    }
}
