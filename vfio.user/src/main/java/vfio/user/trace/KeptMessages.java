// SPDX-License-Identifier: Apache-2.0
package vfio.user.trace;

import java.io.IOException;
import java.io.PrintStream;
import vfio.user.wire.trace.TraceRecord;
import vfio.user.wire.trace.TraceWriter;

/// Keeps messages in a file, which is whole whenever there is nothing to do, and tells how many: that is also how it finds out that nobody
/// reads this any more.
final class KeptMessages implements Sink {
    private static final long TELL_NANOS = 1_000_000_000L;

    private final TraceWriter writer;
    private final PrintStream out;
    private boolean unflushed;
    private long kept;
    private long told;
    private long toldAt = System.nanoTime();

    KeptMessages(TraceWriter writer, PrintStream out) {
        this.writer = writer;
        this.out = out;
    }

    @Override
    public void take(TraceRecord record) throws IOException {
        writer.write(record);
        kept++;
        unflushed = true;
        tell();
    }

    @Override
    public void rest() throws IOException {
        if (unflushed) {
            writer.flush();
            unflushed = false;
        }
        tell();
    }

    private void tell() {
        if (kept != told && System.nanoTime() - toldAt >= TELL_NANOS) {
            out.println("records=" + kept);
            told = kept;
            toldAt = System.nanoTime();
        }
    }
}
