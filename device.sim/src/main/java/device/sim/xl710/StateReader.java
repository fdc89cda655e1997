// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Reads what [StateWriter] wrote, wherever it comes from: nothing is believed, and nothing is allocated by a number in it.
final class StateReader {
    private final ByteBuffer in;
    private int sectionEnd;

    /// Looks at the header.
    ///
    /// @throws VfioException EINVAL when it is not such a state, not all of it, or of another version
    StateReader(byte[] state) throws VfioException {
        in = ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN);
        if (state.length < StateWriter.HEADER || in.getInt() != StateWriter.MAGIC) {
            throw new VfioException(Errno.EINVAL, "length=0x%x expected=a function's state".formatted(state.length));
        }
        int version = in.getShort();
        int sections = in.getShort();
        if (version != StateWriter.VERSION || sections != StateSection.values().length) {
            throw new VfioException(Errno.EINVAL, "version=%d sections=%d expected=%d and %d".formatted(version, sections,
                StateWriter.VERSION, StateSection.values().length));
        }
        CRC32C checksum = new CRC32C();
        checksum.update(state, StateWriter.HEADER, state.length - StateWriter.HEADER);
        int length = in.getInt();
        if (length != state.length || in.getInt() != (int) checksum.getValue()) {
            throw new VfioException(Errno.EINVAL, "length=0x%x expected=0x%x with its checksum".formatted(state.length, length));
        }
    }

    /// Goes on to a section, which must be the next one.
    StateReader section(StateSection section) throws VfioException {
        endSection();
        need(Long.BYTES);
        int number = in.getShort();
        int version = in.getShort();
        int length = in.getInt();
        if (number != section.number() || version != section.version() || length < 0 || length > in.remaining()) {
            throw new VfioException(Errno.EINVAL, "section=%d version=%d length=0x%x expected=%s, number %d, version %d".formatted(number,
                version, length, section, section.number(), section.version()));
        }
        sectionEnd = in.position() + length;
        return this;
    }

    int u8() throws VfioException {
        need(1);
        return Byte.toUnsignedInt(in.get());
    }

    boolean flag() throws VfioException {
        return u8() != 0;
    }

    int u32() throws VfioException {
        need(Integer.BYTES);
        return in.getInt();
    }

    long u64() throws VfioException {
        need(Long.BYTES);
        return in.getLong();
    }

    /// Words, as many as are expected.
    int[] words(int count) throws VfioException {
        count(Integer.BYTES, count, count);
        int[] words = new int[count];
        for (int i = 0; i < count; i++) {
            words[i] = in.getInt();
        }
        return words;
    }

    /// Long words.
    ///
    /// @param least how many there are at least
    /// @param most how many there may be
    long[] longs(int least, int most) throws VfioException {
        long[] longs = new long[count(Long.BYTES, least, most)];
        for (int i = 0; i < longs.length; i++) {
            longs[i] = in.getLong();
        }
        return longs;
    }

    /// Bytes.
    ///
    /// @param least how many there are at least
    /// @param most how many there may be
    byte[] bytes(int least, int most) throws VfioException {
        byte[] bytes = new byte[count(1, least, most)];
        in.get(bytes);
        return bytes;
    }

    /// All was read.
    void finish() throws VfioException {
        endSection();
        if (in.hasRemaining()) {
            throw new VfioException(Errno.EINVAL, "surplus=0x%x expected=nothing after the last section".formatted(in.remaining()));
        }
    }

    private int count(int size, int least, int most) throws VfioException {
        int count = u32();
        if (count < least || count > most) {
            throw new VfioException(Errno.EINVAL, "count=%d expected=%d to %d".formatted(count, least, most));
        }
        need(count * size);
        return count;
    }

    private void need(int count) throws VfioException {
        int end = sectionEnd == 0 ? in.limit() : sectionEnd;
        if (count > end - in.position()) {
            throw new VfioException(Errno.EINVAL, "at=0x%x count=0x%x expected=within 0x%x".formatted(in.position(), count, end));
        }
    }

    private void endSection() throws VfioException {
        if (sectionEnd != 0 && in.position() != sectionEnd) {
            throw new VfioException(Errno.EINVAL, "at=0x%x expected=the section's end at 0x%x".formatted(in.position(), sectionEnd));
        }
        sectionEnd = 0;
    }
}
