// SPDX-License-Identifier: Apache-2.0
package vfio.user.trace;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.user.VfioUserServer;
import vfio.user.wire.trace.MessageText;
import vfio.user.wire.trace.TraceRecord;
import vfio.user.wire.trace.TraceWriter;

/// `vfio:trace`.
@Component(service = TraceCommand.class, property = {"osgi.command.scope=vfio", "osgi.command.function=trace"})
public final class TraceCommand {
    private static final String USAGE = "ADDRESS [--write FILE] [--count N]";
    /// How long it waits for a message before it writes out what it has.
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final VfioUserServer server;

    /// Watches what this server serves.
    @Activate
    public TraceCommand(@Reference VfioUserServer server) {
        this.server = server;
    }

    private record Call(PciAddress address, Optional<Path> file, long count) {
        static Call of(String... typed) {
            List<String> plain = new ArrayList<>();
            Optional<Path> file = Optional.empty();
            long count = Long.MAX_VALUE;
            for (int i = 0; i < typed.length; i++) {
                boolean option = typed[i].startsWith("-");
                if (option && i + 1 < typed.length && typed[i].equals("--write")) {
                    file = Optional.of(path(typed[++i]));
                } else if (option && i + 1 < typed.length && typed[i].equals("--count")) {
                    count = Long.parseLong(typed[++i]);
                } else if (option) {
                    throw new IllegalArgumentException("option=%s expected=%s".formatted(typed[i], USAGE));
                } else {
                    plain.add(typed[i]);
                }
            }
            if (plain.size() != 1 || count <= 0) {
                throw new IllegalArgumentException("arguments=%d expected=%s".formatted(plain.size(), USAGE));
            }
            return new Call(PciAddress.parse(plain.getFirst()), file, count);
        }

        private static Path path(String text) {
            try {
                Path path = Path.of(text);
                if (path.isAbsolute()) {
                    return path;
                }
            } catch (InvalidPathException e) {
                throw new IllegalArgumentException("file=%s expected=a path (%s)".formatted(text, e.getReason()));
            }
            throw new IllegalArgumentException("file=%s expected=an absolute path".formatted(text));
        }
    }

    /// `vfio:trace ADDRESS [--write FILE] [--count N]`: prints each message of a served device, until the device is no longer served,
    /// another trace of it begins, the thread is interrupted, or so many were there. With a file, keeps them there, and prints how many.
    ///
    /// @throws VfioException ENOENT when the device is not served
    /// @throws IOException when the file cannot be written
    public void trace(String[] typed) throws VfioException, IOException {
        Call call = Call.of(typed);
        Tap tap = server.tap(call.address());
        // Gogo sets the standard output of the thread that runs a command: the stream is asked for now.
        PrintStream out = System.out;
        try (Watch watch = tap.begin()) {
            if (call.file().isPresent()) {
                Path file = call.file().get();
                try (TraceWriter writer = new TraceWriter(new BufferedOutputStream(Files.newOutputStream(file)), watch.start())) {
                    out.printf("tracing %s to %s%n", call.address(), file);
                    out.println("records=" + follow(watch, call.count(), new KeptMessages(writer, out)) + " in all");
                }
            } else {
                out.printf("tracing %s%n", call.address());
                follow(watch, call.count(), record -> out.println(MessageText.of(record)));
            }
        }
    }

    private static long follow(Watch watch, long count, Sink sink) throws IOException {
        long taken = 0;
        while (taken < count && !watch.isOver() && !Thread.currentThread().isInterrupted()) {
            Optional<TraceRecord> record = watch.next(LOOK_NANOS);
            if (record.isPresent()) {
                sink.take(record.get());
                taken++;
            } else {
                sink.rest();
            }
        }
        sink.rest();
        return taken;
    }
}
