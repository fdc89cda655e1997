// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.zip.CRC32C;
import vfio.pci.api.migration.StateSection;

/// A state on its way out: parts are put in, and bytes are taken out in pieces of any size. Guarded by its engine's lock.
final class StreamWriter {
    private final Deque<byte[]> parts = new ArrayDeque<>();
    /// How much of the first part was taken.
    private int taken;
    private long waiting;
    private long written;
    private int sections;
    private int checksum;
    private boolean ended;

    /// A stream that begins with this header.
    StreamWriter(StreamHeader header) {
        byte[] body = header.encode();
        ByteBuffer part = part(StreamFormat.HEADER_BYTES + body.length);
        part.putInt(StreamFormat.MAGIC).putShort((short) StreamFormat.MAJOR).putShort((short) StreamFormat.MINOR).putInt(body.length);
        part.put(body);
        put(part);
    }

    /// Adds a section.
    void section(StateSection section) {
        byte[] name = section.name().getBytes(StandardCharsets.US_ASCII);
        ByteBuffer part = part(StreamFormat.SECTION_BYTES + name.length + section.data().length);
        part.putInt(StreamFormat.SECTION).putInt(sections++).putShort((short) section.version()).putShort((short) name.length);
        part.putInt(section.data().length).put(name).put(section.data());
        put(part);
    }

    /// Adds the end.
    void end() {
        ByteBuffer part = part(StreamFormat.END_BYTES);
        part.putInt(StreamFormat.END).putInt(sections).putLong(written);
        put(part);
        ended = true;
    }

    private static ByteBuffer part(int length) {
        return ByteBuffer.allocate(length + StreamFormat.CHECKSUM_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void put(ByteBuffer part) {
        checksum = checksum(checksum, part.array(), part.position());
        part.putInt(checksum);
        parts.add(part.array());
        waiting += part.capacity();
        written += part.capacity();
    }

    /// The checksum of a part after that of the part before it.
    static int checksum(int before, byte[] part, int length) {
        CRC32C crc = new CRC32C();
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            crc.update(before >>> shift);
        }
        crc.update(part, 0, length);
        return (int) crc.getValue();
    }

    /// Whether the end was added.
    boolean ended() {
        return ended;
    }

    /// Bytes that can be taken now.
    long waiting() {
        return waiting;
    }

    /// Takes bytes out.
    ///
    /// @return how many; 0 when there are none now
    int take(MemorySegment buffer, long offset, int count) {
        int done = peek(buffer, offset, count);
        skip(done);
        return done;
    }

    /// Copies bytes that stay.
    ///
    /// @return how many; 0 when there are none now
    int peek(MemorySegment buffer, long offset, int count) {
        int done = 0;
        int from = taken;
        for (byte[] part : parts) {
            int some = Math.min(count - done, part.length - from);
            MemorySegment.copy(part, from, buffer, ValueLayout.JAVA_BYTE, offset + done, some);
            done += some;
            from = 0;
            if (done == count) {
                break;
            }
        }
        return done;
    }

    /// Takes bytes out that were copied.
    ///
    /// @param count at most [#waiting()]
    void skip(int count) {
        for (int left = count; left > 0;) {
            int some = Math.min(left, parts.element().length - taken);
            left -= some;
            taken += some;
            if (taken == parts.element().length) {
                parts.remove();
                taken = 0;
            }
        }
        waiting -= count;
    }
}
