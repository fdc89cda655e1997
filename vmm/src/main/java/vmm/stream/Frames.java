// SPDX-License-Identifier: Apache-2.0
package vmm.stream;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vmm.channel.Link;

/// Frames over a link, both ways. For one thread, but [#written()] is for any.
///
/// A frame is little-endian: magic 2, kind 2, number 4, length 4, that many bytes, checksum 4. The checksum is CRC-32C of all before it
/// in the frame, preceded by the checksum of the frame before (0 for the first), each way for itself: nothing can be left out, repeated,
/// moved or changed unseen.
public final class Frames {
    /// Most bytes in a frame.
    public static final int LONGEST = 1 << 20;
    /// `VM` as bytes.
    static final int MAGIC = 0x4D56;
    static final int HEADER = 12;
    static final int CHECKSUM = 4;
    private static final int LONGEST_REASON = 1024;

    private final Link link;
    private final ByteBuffer out = buffer();
    private final ByteBuffer in = buffer();
    private int nextOut;
    private int nextIn;
    private int checksumOut;
    private int checksumIn;
    private volatile long written;

    /// Frames over a new link, which stays the caller's.
    public Frames(Link link) {
        this.link = link;
    }

    private static ByteBuffer buffer() {
        return ByteBuffer.allocate(HEADER + LONGEST + CHECKSUM).order(ByteOrder.LITTLE_ENDIAN);
    }

    /// Begins a frame.
    ///
    /// @return where its bytes go, up to [#LONGEST]; [#end()] is to follow
    public ByteBuffer begin(FrameKind kind) {
        return out.clear().putShort((short) MAGIC).putShort((short) kind.number()).putInt(nextOut).putInt(0);
    }

    /// Sends what was begun.
    ///
    /// @throws VfioException what the link says
    public void end() throws VfioException {
        out.putInt(8, out.position() - HEADER);
        checksumOut = checksum(checksumOut, out.array(), out.position());
        out.putInt(checksumOut);
        nextOut++;
        link.write(out.array(), 0, out.position());
        written += out.position();
    }

    /// Sends a frame without bytes.
    public void send(FrameKind kind) throws VfioException {
        begin(kind);
        end();
    }

    /// Tells why something is refused, as far as there is room.
    public void refuse(String reason) throws VfioException {
        byte[] text = reason.getBytes(StandardCharsets.UTF_8);
        begin(FrameKind.REFUSE).put(text, 0, Math.min(text.length, LONGEST_REASON));
        end();
    }

    /// Bytes sent so far.
    public long written() {
        return written;
    }

    /// A frame that came.
    ///
    /// @param kind what it is
    /// @param bytes little-endian, good until the next one is received
    public record Frame(FrameKind kind, ByteBuffer bytes) {
        /// A reason, of a [FrameKind#REFUSE], with nothing in it that could harm a log.
        public String text() {
            byte[] text = new byte[Math.min(bytes.remaining(), LONGEST_REASON)];
            bytes.duplicate().get(text);
            return new String(text, StandardCharsets.UTF_8).replaceAll("[^\\x20-\\x7E]", "?");
        }
    }

    /// Receives the next frame.
    ///
    /// @throws VfioException EPROTO for one that is wrong, altered or not the next; what the link says
    public Frame receive() throws VfioException {
        link.read(in.clear().array(), 0, HEADER);
        int magic = Short.toUnsignedInt(in.getShort(0));
        int kind = Short.toUnsignedInt(in.getShort(2));
        int number = in.getInt(4);
        int length = in.getInt(8);
        FrameKind known = FrameKind.of(kind).orElse(null);
        if (magic != MAGIC || known == null || number != nextIn || length < 0 || length > LONGEST) {
            throw new VfioException(Errno.EPROTO, "frame magic=0x%x kind=0x%x number=0x%x length=0x%x expected=0x%x, known, 0x%x, 0x%x"
                .formatted(magic, kind, number, length, MAGIC, nextIn, LONGEST));
        }
        link.read(in.array(), HEADER, length + CHECKSUM);
        int found = checksum(checksumIn, in.array(), HEADER + length);
        int told = in.getInt(HEADER + length);
        if (told != found) {
            throw new VfioException(Errno.EPROTO, "frame number=0x%x checksum=0x%x expected=0x%x".formatted(number, told, found));
        }
        checksumIn = found;
        nextIn++;
        return new Frame(known, in.slice(HEADER, length).order(ByteOrder.LITTLE_ENDIAN));
    }

    /// Receives a frame that has to be of this kind.
    ///
    /// @throws VfioException ECANCELED with the other side's reason when it refuses; EPROTO for any other
    public Frame expect(FrameKind kind) throws VfioException {
        Frame frame = receive();
        if (frame.kind() == FrameKind.REFUSE) {
            throw new VfioException(Errno.ECANCELED, "the other side refuses: " + frame.text());
        }
        if (frame.kind() != kind) {
            throw new VfioException(Errno.EPROTO, "frame=%s expected=%s".formatted(frame.kind(), kind));
        }
        return frame;
    }

    private static int checksum(int before, byte[] frame, int length) {
        CRC32C crc = new CRC32C();
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            crc.update(before >>> shift);
        }
        crc.update(frame, 0, length);
        return (int) crc.getValue();
    }
}
