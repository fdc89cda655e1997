// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import linux.sys.Epoll;
import linux.sys.PeerCredentials;
import linux.sys.UnixSocket;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.ServedStatus;
import vfio.pci.api.device.VfioPci;
import vfio.user.command.ClientLimits;
import vfio.user.loop.PollLoop;
import vfio.user.session.Buffers;
import vfio.user.session.Connection;
import vfio.user.session.Host;
import vfio.user.trace.Tap;
import vfio.user.traffic.Traffic;

/// A device on a socket, with one client at most. All but [#status()] and [#ended()] is for tasks of the loop.
final class Served implements Listener.Taker {
    private static final Logger LOG = System.getLogger(Served.class.getName());
    private static final Duration NEXT_TRY = Duration.ofMillis(100);

    private final PciAddress address;
    private final SocketFile file;
    private final SocketRules rules;
    private final PollLoop loop;
    private final Buffers buffers;
    private final Host host;
    private final Listener listener;
    private final Traffic traffic = new Traffic();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private boolean ending;
    /// Written by the loop, read by all; null while nobody is connected.
    private volatile Connection connection;

    /// @param file taken, with this
    Served(PciAddress address, SocketFile file, SocketRules rules, ClientLimits limits, VfioPci pci, PollLoop loop,
            Executor workers) throws VfioException {
        this.address = address;
        this.file = file;
        this.rules = rules;
        this.loop = loop;
        buffers = new Buffers();
        host = new Host(address, pci, loop, workers, buffers, limits, traffic, this::left);
        listener = new Listener(file, this);
    }

    PciAddress address() {
        return address;
    }

    Path path() {
        return file.path();
    }

    ServedStatus status() {
        Connection now = connection;
        return new ServedStatus(address, file.path(), Optional.ofNullable(now).map(Connection::client), now == null ? 0 : now.requests(),
            now == null ? 0 : now.errors(), traffic.snapshot());
    }

    /// Where the messages of its clients can be watched. Any thread.
    Tap tap() {
        return buffers.tap();
    }

    /// Done when nothing of it is left.
    CompletableFuture<Void> ended() {
        return ended;
    }

    void begin() {
        loop.add(listener, Epoll.IN);
    }

    /// Ends listening and the connection, after what it asked for is answered.
    ///
    /// @param deviceGoes whether the client is told of that, by the interrupts that it has for it
    void end(boolean deviceGoes) {
        ending = true;
        loop.remove(listener);
        if (connection == null) {
            finish();
        } else {
            if (deviceGoes) {
                connection.tellGone();
            }
            connection.end();
        }
    }

    /// Cuts a connection whose request does not come back. What it holds goes when it does.
    void abandon() {
        if (connection != null) {
            connection.abandon();
        }
    }

    @Override
    public void take(UnixSocket client) {
        if (!loop.execute(() -> connect(client))) {
            client.close();
        }
    }

    @Override
    public void tryLater() {
        loop.execute(() -> loop.schedule(NEXT_TRY, () -> loop.resume(listener)));
    }

    private void connect(UnixSocket client) {
        if (ending) {
            client.close();
            return;
        }
        String name = admitted(client);
        if (name.isEmpty()) {
            client.close();
            loop.resume(listener);
            return;
        }
        connection = new Connection(host, client, name);
        loop.add(connection, Epoll.IN);
    }

    /// Looks at who it is.
    ///
    /// @return its name; empty for one that may not connect
    private String admitted(UnixSocket client) {
        try {
            PeerCredentials peer = client.peer();
            if (rules.admits(peer.uid())) {
                LOG.log(Level.INFO, "device={0} client pid={1} uid={2} gid={3} connected", address, Integer.toString(peer.pid()),
                    Long.toString(peer.uid()), Long.toString(peer.gid()));
                return nameOf(peer);
            }
            LOG.log(Level.WARNING, "device={0} client pid={1} uid={2} is turned away: expected=uid {3}", address,
                Integer.toString(peer.pid()), Long.toString(peer.uid()), rules.uids());
        } catch (VfioException e) {
            LOG.log(Level.WARNING, "device={0} a client is turned away, who it is cannot be told: {1}", address, e.getMessage());
        }
        return "";
    }

    private String nameOf(PeerCredentials peer) {
        try {
            Path comm = Path.of("/proc", Integer.toString(peer.pid()), "comm");
            String program = Files.isReadable(comm) ? Files.readString(comm).strip() : "client";
            return program + " pid=" + peer.pid() + " uid=" + peer.uid() + " " + file.path();
        } catch (IOException e) {
            return "client pid=" + peer.pid() + " uid=" + peer.uid() + " " + file.path();
        }
    }

    private void left() {
        connection = null;
        if (ending) {
            finish();
        } else {
            loop.resume(listener);
        }
    }

    private void finish() {
        // Unmapping stops all threads for a moment: not on the loop.
        host.workers().execute(() -> {
            buffers.tap().close();
            buffers.close();
            ended.complete(null);
        });
    }
}
