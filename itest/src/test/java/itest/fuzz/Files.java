// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Memfd;
import linux.sys.UnixSocket;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/** One file of each kind, of which the server gets as many descriptors as are sent. */
final class Files implements AutoCloseable {
    static final long SIZE = 1 << 20;

    private static final int PAGE = 4096;

    private final Map<Kind, OwnedFd> fds = new EnumMap<>(Kind.class);
    private final Fd unsealed;
    private final EventFd eventFd = EventFd.create();
    private final UnixSocket[] pair = UnixSocket.pair();

    Files() throws VfioException {
        unsealed = Memfd.create("fuzz-unsealed", SIZE, false);
        fds.put(Kind.SEALED, Memfd.create("fuzz-sealed", SIZE, true));
        fds.put(Kind.UNSEALED, unsealed);
        fds.put(Kind.LARGE, Memfd.create("fuzz-large", 1L << 32, true));
        fds.put(Kind.EMPTY, Memfd.create("fuzz-empty", 0, false));
        fds.put(Kind.EVENTFD, eventFd.fd());
        fds.put(Kind.SOCKET, pair[0].fd());
    }

    OwnedFd[] of(List<Kind> kinds) {
        return kinds.stream().map(fds::get).toArray(OwnedFd[]::new);
    }

    /** Gives the unsealed one another length, under the server's mapping perhaps. */
    void resize(RandomGenerator random) throws VfioException {
        unsealed.truncate(random.nextBoolean() ? SIZE : random.nextLong(SIZE / PAGE + 1) * PAGE);
    }

    @Override
    public void close() {
        eventFd.close();
        pair[0].close();
        pair[1].close();
        fds.get(Kind.SEALED).close();
        fds.get(Kind.LARGE).close();
        fds.get(Kind.EMPTY).close();
        unsealed.close();
    }
}
