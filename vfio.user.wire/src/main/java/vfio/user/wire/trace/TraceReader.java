// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.trace;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.trace.TraceRecord.Descriptor;

/// Reads a trace, which may be anything: each number is checked before it is used, and no record is longer than the longest message. One
/// thread.
public final class TraceReader implements AutoCloseable {
    private static final int LONGEST = 0x20_0000;

    private final InputStream in;
    private final long startNanos;

    /// Reads the head.
    ///
    /// @param in taken, also when this throws
    /// @throws IOException when it is no trace, or one of another version
    public TraceReader(InputStream in) throws IOException {
        this.in = in;
        boolean begun = false;
        try {
            ByteBuffer head = read(TraceWriter.HEAD);
            byte[] magic = new byte[TraceWriter.MAGIC.length];
            head.get(magic);
            int version = Short.toUnsignedInt(head.getShort());
            if (!Arrays.equals(magic, TraceWriter.MAGIC) || version != TraceWriter.VERSION) {
                throw new IOException("version=%d expected=a trace of version %d".formatted(version, TraceWriter.VERSION));
            }
            startNanos = head.getLong(TraceWriter.HEAD - Long.BYTES);
            begun = true;
        } finally {
            if (!begun) {
                in.close();
            }
        }
    }

    /// When the trace began, in nanoseconds since 1970.
    public long startNanos() {
        return startNanos;
    }

    /// The next record, if there is one.
    ///
    /// @throws EOFException when the file ends within one
    /// @throws IOException when it is none
    public Optional<TraceRecord> next() throws IOException {
        while (true) {
            byte[] length = in.readNBytes(Integer.BYTES);
            if (length.length == 0) {
                return Optional.empty();
            }
            if (length.length < Integer.BYTES) {
                throw new EOFException("record=cut");
            }
            int size = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getInt();
            if (size < TraceWriter.RECORD || size > LONGEST) {
                throw new IOException("record=0x%x expected=0x%x to 0x%x bytes".formatted(size, TraceWriter.RECORD, LONGEST));
            }
            ByteBuffer record = read(size);
            int kind = record.get(Long.BYTES);
            if (kind >= 0 && kind < TraceRecord.Kind.values().length) {
                return Optional.of(decode(record, TraceRecord.Kind.values()[kind]));
            }
        }
    }

    private static TraceRecord decode(ByteBuffer record, TraceRecord.Kind kind) throws IOException {
        long nanos = record.getLong();
        record.get();
        int count = Byte.toUnsignedInt(record.get());
        record.getShort();
        if (count * TraceWriter.DESCRIPTOR > record.remaining()) {
            throw new IOException("fds=0x%x expected=within the record".formatted(count));
        }
        List<Descriptor> fds = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int type = record.get();
            record.position(record.position() + 7);
            long size = record.getLong();
            Descriptor.Type[] types = Descriptor.Type.values();
            fds.add(new Descriptor(type >= 0 && type < types.length ? types[type] : Descriptor.Type.UNKNOWN, Math.max(0, size)));
        }
        byte[] bytes = new byte[record.remaining()];
        record.get(bytes);
        int least = kind == TraceRecord.Kind.DROPPED ? Long.BYTES : HeaderLayout.BYTES;
        if (bytes.length < least) {
            throw new IOException("message=0x%x expected=at least 0x%x bytes".formatted(bytes.length, least));
        }
        return new TraceRecord(nanos, kind, fds, bytes);
    }

    private ByteBuffer read(int size) throws IOException {
        byte[] bytes = in.readNBytes(size);
        if (bytes.length < size) {
            throw new EOFException("trace=cut");
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
