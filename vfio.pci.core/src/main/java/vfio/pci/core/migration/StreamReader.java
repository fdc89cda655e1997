// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// A state on its way in: bytes are put in, in pieces of any size, and each part is checked as soon as it is complete. What is wrong once
/// stays wrong. Guarded by its engine's lock.
final class StreamReader {
    private static final int SMALLEST_ROOM = 0x1000;

    private final StreamHeader own;
    private final long longest;
    private final List<StateSection> sections = new ArrayList<>();
    /// Bytes that no complete part was made of yet.
    private byte[] pending = new byte[0];
    private int filled;
    private long parsed;
    private int checksum;
    private boolean headed;
    private boolean ended;
    private StateVersion version = new StateVersion(0, 0);
    private String wrong = "";

    /// A stream that is to fit this device.
    ///
    /// @param longest bytes it may have in all
    StreamReader(StreamHeader own, long longest) {
        this.own = own;
        this.longest = longest;
    }

    /// Whether nothing came.
    boolean empty() {
        return wrong.isEmpty() && parsed == 0 && filled == 0;
    }

    /// Puts bytes in.
    ///
    /// @throws VfioException EINVAL when the stream is wrong, ENOSPC when it is too long
    void put(MemorySegment buffer, long offset, int count) throws VfioException {
        checkNotWrong();
        if (count > longest - parsed - filled) {
            throw refuse(Errno.ENOSPC, "stream=0x%x bytes expected=at most 0x%x".formatted(parsed + filled + count, longest));
        }
        if (count > pending.length - filled) {
            int doubled = (int) Math.min(longest, 2L * pending.length);
            pending = Arrays.copyOf(pending, Math.max(Math.max(SMALLEST_ROOM, filled + count), doubled));
        }
        MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, offset, pending, filled, count);
        filled += count;
        int at = 0;
        for (int part = next(at); part > 0; part = next(at)) {
            at += part;
            parsed += part;
        }
        System.arraycopy(pending, at, pending, 0, filled - at);
        filled -= at;
    }

    /// The sections of a stream that is complete.
    ///
    /// @throws VfioException EINVAL when it is cut short or was wrong
    List<StateSection> sections() throws VfioException {
        checkNotWrong();
        if (!ended) {
            throw new VfioException(Errno.EINVAL, "stream=0x%x bytes sections=%d expected=a stream that has its end".formatted(
                parsed + filled, sections.size()));
        }
        return List.copyOf(sections);
    }

    /// The version of the state; good when it is complete.
    StateVersion version() {
        return version;
    }

    private void checkNotWrong() throws VfioException {
        if (!wrong.isEmpty()) {
            throw new VfioException(Errno.EINVAL, "stream was refused before: " + wrong);
        }
    }

    private VfioException refuse(Errno errno, String why) {
        wrong = why;
        pending = new byte[0];
        filled = 0;
        sections.clear();
        return new VfioException(errno, why);
    }

    /// Takes the next part if it is there as a whole.
    ///
    /// @return its length, 0 when some of it is missing
    private int next(int at) throws VfioException {
        if (at == filled) {
            return 0;
        }
        if (ended) {
            throw refuse(Errno.EINVAL, "stream goes on after its end at 0x%x expected=nothing".formatted(parsed));
        }
        ByteBuffer part = ByteBuffer.wrap(pending, at, filled - at).slice().order(ByteOrder.LITTLE_ENDIAN);
        long length = headed ? lengthOfPart(part) : lengthOfHeader(part);
        if (length > longest - parsed) {
            throw refuse(Errno.ENOSPC, "stream part=0x%x bytes at 0x%x expected=at most 0x%x in all".formatted(length, parsed, longest));
        }
        if (length == 0 || length > filled - at) {
            return 0;
        }
        byte[] bytes = Arrays.copyOfRange(pending, at, at + (int) length);
        check(bytes);
        if (!headed) {
            head(bytes);
        } else if (part.getInt(0) == StreamFormat.SECTION) {
            section(bytes);
        } else {
            end(bytes);
        }
        return (int) length;
    }

    private long lengthOfHeader(ByteBuffer part) throws VfioException {
        if (part.remaining() < StreamFormat.HEADER_BYTES) {
            return 0;
        }
        int major = Short.toUnsignedInt(part.getShort(4));
        long body = Integer.toUnsignedLong(part.getInt(8));
        if (part.getInt(0) != StreamFormat.MAGIC) {
            throw refuse(Errno.EINVAL, "stream magic=0x%x expected=0x%x".formatted(part.getInt(0), StreamFormat.MAGIC));
        }
        if (major > StreamFormat.MAJOR) {
            throw refuse(Errno.EINVAL, "stream version=%d expected=at most %d".formatted(major, StreamFormat.MAJOR));
        }
        if (body > StreamFormat.LONGEST_BODY) {
            throw refuse(Errno.EINVAL, "stream header=0x%x bytes expected=at most 0x%x".formatted(body, StreamFormat.LONGEST_BODY));
        }
        return StreamFormat.HEADER_BYTES + body + StreamFormat.CHECKSUM_BYTES;
    }

    private long lengthOfPart(ByteBuffer part) throws VfioException {
        if (part.remaining() < Math.min(StreamFormat.SECTION_BYTES, StreamFormat.END_BYTES)) {
            return 0;
        }
        return switch (part.getInt(0)) {
            case StreamFormat.SECTION -> StreamFormat.SECTION_BYTES + Short.toUnsignedLong(part.getShort(10))
                + Integer.toUnsignedLong(part.getInt(12)) + StreamFormat.CHECKSUM_BYTES;
            case StreamFormat.END -> StreamFormat.END_BYTES + StreamFormat.CHECKSUM_BYTES;
            default -> throw refuse(Errno.EINVAL, "stream tag=0x%x at 0x%x expected=a section or the end".formatted(part.getInt(0),
                parsed));
        };
    }

    private void check(byte[] part) throws VfioException {
        int length = part.length - StreamFormat.CHECKSUM_BYTES;
        int told = ByteBuffer.wrap(part).order(ByteOrder.LITTLE_ENDIAN).getInt(length);
        int found = StreamWriter.checksum(checksum, part, length);
        if (told != found) {
            throw refuse(Errno.EINVAL, "stream part at 0x%x checksum=0x%x expected=0x%x".formatted(parsed, told, found));
        }
        checksum = found;
    }

    private void head(byte[] part) throws VfioException {
        try {
            StreamHeader source = StreamHeader.decode(
                Arrays.copyOfRange(part, StreamFormat.HEADER_BYTES, part.length - StreamFormat.CHECKSUM_BYTES));
            own.checkFits(source);
            version = source.version();
        } catch (VfioException e) {
            throw refuse(e.errno(), e.getMessage());
        }
        headed = true;
    }

    private void section(byte[] part) throws VfioException {
        ByteBuffer fields = ByteBuffer.wrap(part).order(ByteOrder.LITTLE_ENDIAN);
        int number = fields.getInt(4);
        int nameLength = Short.toUnsignedInt(fields.getShort(10));
        if (number != sections.size() || number == StreamFormat.MOST_SECTIONS) {
            throw refuse(Errno.EINVAL, "stream section=%d expected=%d of at most %d".formatted(number, sections.size(),
                StreamFormat.MOST_SECTIONS));
        }
        int data = StreamFormat.SECTION_BYTES + nameLength;
        String name = new String(part, StreamFormat.SECTION_BYTES, nameLength, StandardCharsets.US_ASCII);
        try {
            sections.add(new StateSection(name, Short.toUnsignedInt(fields.getShort(8)),
                Arrays.copyOfRange(part, data, part.length - StreamFormat.CHECKSUM_BYTES)));
        } catch (IllegalArgumentException e) {
            throw refuse(Errno.EINVAL, "stream section=%d name of 0x%x bytes expected=1 to %d printable characters".formatted(number,
                nameLength, StateSection.LONGEST_NAME));
        }
    }

    private void end(byte[] part) throws VfioException {
        ByteBuffer fields = ByteBuffer.wrap(part).order(ByteOrder.LITTLE_ENDIAN);
        if (fields.getInt(4) != sections.size() || fields.getLong(8) != parsed) {
            throw refuse(Errno.EINVAL, "stream end: sections=%d bytes=0x%x expected=%d and 0x%x".formatted(fields.getInt(4),
                fields.getLong(8), sections.size(), parsed));
        }
        ended = true;
    }
}
