// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Bytes of a message, put together by hand: knows nothing of the product's codec.
final class Bytes {
    private ByteBuffer buffer = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());

    static Bytes of() {
        return new Bytes();
    }

    Bytes u8(int... values) {
        for (int value : values) {
            room(1).put((byte) value);
        }
        return this;
    }

    Bytes u16(int... values) {
        for (int value : values) {
            room(2).putShort((short) value);
        }
        return this;
    }

    Bytes u32(long... values) {
        for (long value : values) {
            room(4).putInt((int) value);
        }
        return this;
    }

    Bytes u64(long... values) {
        for (long value : values) {
            room(8).putLong(value);
        }
        return this;
    }

    Bytes raw(byte[] bytes) {
        room(bytes.length).put(bytes);
        return this;
    }

    Bytes text(String text) {
        return raw(text.getBytes(StandardCharsets.UTF_8));
    }

    byte[] array() {
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    private ByteBuffer room(int bytes) {
        if (buffer.remaining() < bytes) {
            int capacity = Math.max(buffer.capacity() * 2, buffer.position() + bytes);
            buffer = ByteBuffer.allocate(capacity).order(ByteOrder.nativeOrder()).put(buffer.flip());
        }
        return buffer;
    }
}
