// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.trace;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/// Writes a trace; see the package for its form. One thread.
public final class TraceWriter implements AutoCloseable {
    static final byte[] MAGIC = "VFUTRACE".getBytes(StandardCharsets.US_ASCII);
    static final int VERSION = 1;
    static final int HEAD = 24;
    static final int RECORD = 12;
    static final int DESCRIPTOR = 16;

    private static final long NANOS = 1_000_000_000L;

    private final OutputStream out;

    /// Begins with the head.
    ///
    /// @param out taken, also when this throws
    public TraceWriter(OutputStream out, Instant start) throws IOException {
        this.out = out;
        boolean begun = false;
        try {
            out.write(ByteBuffer.allocate(HEAD).order(ByteOrder.LITTLE_ENDIAN).put(MAGIC).putShort((short) VERSION).putShort((short) 0)
                .putInt(0).putLong(start.getEpochSecond() * NANOS + start.getNano()).array());
            begun = true;
        } finally {
            if (!begun) {
                out.close();
            }
        }
    }

    /// Adds a record.
    public void write(TraceRecord record) throws IOException {
        int size = RECORD + record.fds().size() * DESCRIPTOR + record.bytes().length;
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES + size).order(ByteOrder.LITTLE_ENDIAN).putInt(size).putLong(record.nanos())
            .put((byte) record.kind().ordinal()).put((byte) record.fds().size()).putShort((short) 0);
        for (TraceRecord.Descriptor fd : record.fds()) {
            bytes.put((byte) fd.type().ordinal()).put(new byte[7]).putLong(fd.size());
        }
        out.write(bytes.put(record.bytes()).array());
    }

    /// Lets the file have all that was written.
    public void flush() throws IOException {
        out.flush();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
