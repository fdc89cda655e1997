// SPDX-License-Identifier: Apache-2.0
package vfio.user.tool.replay;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.Command;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.trace.MessageText;
import vfio.user.wire.trace.TraceReader;
import vfio.user.wire.trace.TraceRecord;

/// `replay FILE SOCKET`.
public final class ReplayCommand {
    /// Exit code: the server answered otherwise than the trace.
    public static final int DIFFERENT = 1;

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final Path socket;
    private final PrintStream out;
    private Optional<ReplayedClient> client = Optional.empty();
    private long sent;
    private long compared;

    private ReplayCommand(Path socket, PrintStream out) {
        this.socket = socket;
        this.out = out;
    }

    /// Plays a trace.
    ///
    /// @return 0, or [#DIFFERENT]
    /// @throws VfioException when the server or the trace is not what it should be
    /// @throws IllegalArgumentException for a wrong call
    public static int run(List<String> arguments, PrintStream out) throws VfioException {
        if (arguments.size() != 2) {
            throw new IllegalArgumentException("arguments=%d expected=FILE SOCKET".formatted(arguments.size()));
        }
        Path file = Path.of(arguments.getFirst());
        try (TraceReader reader = new TraceReader(new BufferedInputStream(Files.newInputStream(file)))) {
            return new ReplayCommand(Path.of(arguments.getLast()), out).play(reader);
        } catch (IOException e) {
            throw new VfioException(Errno.EIO, "file=%s: %s".formatted(file, e));
        }
    }

    private int play(TraceReader reader) throws IOException, VfioException {
        try {
            for (Optional<TraceRecord> next = reader.next(); next.isPresent(); next = reader.next()) {
                TraceRecord record = next.get();
                Optional<String> difference = switch (record.kind()) {
                    case RECEIVED -> {
                        send(record);
                        yield Optional.empty();
                    }
                    case SENT -> compare(record);
                    case DROPPED -> throw new VfioException(Errno.EINVAL, "trace=incomplete expected=nothing dropped:"
                        + MessageText.of(record));
                };
                if (difference.isPresent()) {
                    out.printf("different after sent=%d same=%d:%n  trace:  %s%n  server: %s%n", sent, compared, MessageText.of(record),
                        difference.get());
                    return DIFFERENT;
                }
            }
        } finally {
            client.ifPresent(ReplayedClient::close);
        }
        out.printf("same: sent=%d compared=%d%n", sent, compared);
        return 0;
    }

    private void send(TraceRecord record) throws VfioException {
        HeaderLayout.Header header = HeaderLayout.decode(MemorySegment.ofArray(record.bytes()), 0);
        if (header.cmd() == Command.VERSION.code() && !header.reply()) {
            client.ifPresent(ReplayedClient::close);
            client = Optional.of(ReplayedClient.connect(socket, TIMEOUT));
        }
        connected().send(record);
        sent++;
    }

    /// How the server's next message differs, if it does.
    private Optional<String> compare(TraceRecord record) throws VfioException {
        TraceRecord answer;
        try {
            answer = connected().receive(record.nanos());
        } catch (VfioException e) {
            return Optional.of(e.toString());
        }
        compared++;
        if (Arrays.equals(answer.bytes(), record.bytes()) && answer.fds().size() == record.fds().size()) {
            return Optional.empty();
        }
        int at = Arrays.mismatch(answer.bytes(), record.bytes());
        return Optional.of(MessageText.of(answer) + (at < 0 ? " (fds differ)" : " (byte 0x%x differs)".formatted(at)));
    }

    private ReplayedClient connected() throws VfioException {
        return client.orElseThrow(() -> new VfioException(Errno.EINVAL, "trace=begins within a connection expected=VERSION first"));
    }
}
