// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import vfio.user.wire.trace.TraceReader;
import vfio.user.wire.trace.TraceRecord;

/** The messages of a client that were recorded. */
final class Recorded {
    private final List<Outgoing> messages = new ArrayList<>();

    Recorded(Path trace) {
        try (TraceReader reader = new TraceReader(java.nio.file.Files.newInputStream(trace))) {
            Optional<TraceRecord> next;
            while ((next = reader.next()).isPresent()) {
                if (next.get().kind() == TraceRecord.Kind.RECEIVED) {
                    messages.add(new Outgoing(next.get().bytes(), next.get().fds().stream().map(Recorded::kind).toList()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Kind kind(TraceRecord.Descriptor fd) {
        return switch (fd.type()) {
            case EVENTFD -> Kind.EVENTFD;
            case FILE -> fd.size() > Files.SIZE ? Kind.LARGE : Kind.UNSEALED;
            case UNKNOWN -> Kind.SOCKET;
        };
    }

    int size() {
        return messages.size();
    }

    /** All of it, or its beginning and some of what follows. */
    List<Outgoing> some(RandomGenerator random) {
        if (random.nextInt(3) == 0) {
            return messages;
        }
        List<Outgoing> some = new ArrayList<>(messages.subList(0, random.nextInt(1, 6)));
        int from = random.nextInt(some.size(), messages.size());
        some.addAll(messages.subList(from, random.nextInt(from, messages.size() + 1)));
        return some;
    }
}
