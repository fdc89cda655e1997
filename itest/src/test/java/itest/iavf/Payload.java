// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Bytes of a message, field by field, little-endian. */
public final class Payload {
    private final ByteBuffer bytes = ByteBuffer.allocate(AdminQueue.BUFFER).order(ByteOrder.LITTLE_ENDIAN);

    public Payload u8(int value) {
        bytes.put((byte) value);
        return this;
    }

    public Payload u16(int value) {
        bytes.putShort((short) value);
        return this;
    }

    public Payload u32(long value) {
        bytes.putInt((int) value);
        return this;
    }

    public Payload u64(long value) {
        bytes.putLong(value);
        return this;
    }

    public Payload bytes(byte[] value) {
        bytes.put(value);
        return this;
    }

    /** So many zeros: padding, and the one element too many that senders of lists have always sent. */
    public Payload zeros(int count) {
        bytes.put(new byte[count]);
        return this;
    }

    byte[] toBytes() {
        return Arrays.copyOf(bytes.array(), bytes.position());
    }
}
