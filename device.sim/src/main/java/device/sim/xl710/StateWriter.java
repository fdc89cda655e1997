// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// Writes the state of a virtual function: a header, then sections, each with a number, a version and a length of its own. Little-endian.
final class StateWriter {
    /// "X7VF".
    static final int MAGIC = 0x4656_3758;
    /// Of the header and the way sections are put one after the other.
    static final int VERSION = 1;
    /// Magic, version, number of sections, length of all, CRC32C of what follows the header.
    static final int HEADER = 16;
    /// Most bytes that there may be.
    static final int MOST = 0x1_0000;

    private static final int LENGTH = 8;
    private static final int CHECKSUM = 12;

    private final ByteBuffer out = ByteBuffer.allocate(MOST).order(ByteOrder.LITTLE_ENDIAN);
    private int sections;
    private int lengthAt;

    StateWriter() {
        out.position(HEADER);
    }

    /// Begins a section; what is put from now on is in it.
    StateWriter section(StateSection section) {
        endSection();
        sections++;
        out.putShort((short) section.number()).putShort((short) section.version());
        lengthAt = out.position();
        out.putInt(0);
        return this;
    }

    StateWriter u8(int value) {
        out.put((byte) value);
        return this;
    }

    StateWriter flag(boolean value) {
        return u8(value ? 1 : 0);
    }

    StateWriter u32(int value) {
        out.putInt(value);
        return this;
    }

    StateWriter u64(long value) {
        out.putLong(value);
        return this;
    }

    /// Words with their number.
    StateWriter words(int[] words) {
        out.putInt(words.length);
        for (int word : words) {
            out.putInt(word);
        }
        return this;
    }

    /// Long words with their number.
    StateWriter longs(long[] longs) {
        out.putInt(longs.length);
        for (long value : longs) {
            out.putLong(value);
        }
        return this;
    }

    /// Bytes with their number.
    StateWriter bytes(byte[] bytes) {
        out.putInt(bytes.length).put(bytes);
        return this;
    }

    byte[] finish() {
        endSection();
        int length = out.position();
        CRC32C checksum = new CRC32C();
        checksum.update(out.array(), HEADER, length - HEADER);
        out.putInt(0, MAGIC).putShort(4, (short) VERSION).putShort(6, (short) sections).putInt(LENGTH, length)
            .putInt(CHECKSUM, (int) checksum.getValue());
        byte[] all = new byte[length];
        out.flip().get(all);
        return all;
    }

    private void endSection() {
        if (sections > 0) {
            out.putInt(lengthAt, out.position() - lengthAt - Integer.BYTES);
        }
    }
}
