// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import itest.wire.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * A message to be sent, right or wrong.
 *
 * @param bytes all of it; its header may say another size
 * @param files that go along with the first byte
 */
record Outgoing(byte[] bytes, List<Kind> files) {
    private static final int COMMAND = 2;
    private static final int SIZE = 4;
    private static final int FLAGS = 8;

    Outgoing {
        files = List.copyOf(files);
    }

    static Outgoing of(int id, int command, int flags, byte[] payload, Kind... files) {
        return new Outgoing(Message.encode(id, command, flags, payload), List.of(files));
    }

    int id() {
        return u16(0);
    }

    int command() {
        return u16(COMMAND);
    }

    long size() {
        return number(SIZE, Integer.BYTES);
    }

    int flags() {
        return (int) number(FLAGS, Integer.BYTES);
    }

    private int u16(int at) {
        return (int) number(at, Short.BYTES);
    }

    /** A little-endian field; 0 beyond the end. */
    long number(int at, int width) {
        long value = 0;
        for (int i = 0; i < width && at + i < bytes.length; i++) {
            value |= (bytes[at + i] & 0xFFL) << 8 * i;
        }
        return value;
    }

    /** The same with another value in a field. */
    Outgoing with(int at, int width, long value) {
        byte[] changed = bytes.clone();
        for (int i = 0; i < width && at + i < changed.length; i++) {
            changed[at + i] = (byte) (value >>> 8 * i);
        }
        return new Outgoing(changed, files);
    }

    /** The same with other bytes, whose header may say their size. */
    Outgoing withBytes(byte[] other, boolean sizeIsRight) {
        Outgoing changed = new Outgoing(other, files);
        return sizeIsRight ? changed.with(SIZE, Integer.BYTES, other.length) : changed;
    }

    Outgoing withFiles(List<Kind> other) {
        return new Outgoing(bytes, new ArrayList<>(other));
    }
}
