// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import vfio.pci.api.VfioException;

/// Listens on a control socket: one thread accepts, one thread a connection runs its command. See the package for the protocol.
final class ControlServer implements AutoCloseable {
    /// Most commands that run at a time.
    static final int WORKERS = 8;
    /// How long a client may take to send its command.
    static final Duration COMMAND_TIMEOUT = Duration.ofSeconds(10);
    /// How long a client may take no output before it is given up.
    static final Duration WRITE_TIMEOUT = Duration.ofSeconds(30);
    /// How long [#close()] lets running commands end.
    private static final Duration GRACE = Duration.ofSeconds(1);

    private static final System.Logger LOG = System.getLogger(ControlServer.class.getName());

    private final SocketFile socket;
    private final CommandRunner runner;
    private final Duration commandTimeout;
    private final Duration writeTimeout;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final ThreadPoolExecutor workers = new ThreadPoolExecutor(0, WORKERS, 10, TimeUnit.SECONDS, new SynchronousQueue<>(),
        Thread.ofPlatform().daemon().name("vfio-control-", 1).factory());
    private final Thread acceptor;

    /// Listens from when this returns.
    ///
    /// @throws VfioException EADDRINUSE when somebody listens there; as [SocketFile#listen] otherwise
    ControlServer(Path path, CommandRunner runner) throws IOException, VfioException {
        this(path, runner, COMMAND_TIMEOUT, WRITE_TIMEOUT);
    }

    /// With other timeouts, for tests.
    ControlServer(Path path, CommandRunner runner, Duration commandTimeout, Duration writeTimeout) throws IOException, VfioException {
        this.runner = runner;
        this.commandTimeout = commandTimeout;
        this.writeTimeout = writeTimeout;
        socket = SocketFile.listen(path);
        acceptor = Thread.ofPlatform().daemon().name("vfio-control-accept").start(this::accept);
    }

    /// Removes the socket, waits a moment for running commands to end, then closes what is left. The commands themselves are interrupted.
    @Override
    public void close() throws IOException {
        socket.close();
        acceptor.interrupt();
        workers.shutdown();
        try {
            workers.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        workers.shutdownNow();
        for (Connection connection : connections) {
            connection.close();
        }
    }

    private void accept() {
        while (socket.channel().isOpen()) {
            try {
                serve(socket.channel().accept());
            } catch (ClosedChannelException e) {
                return;
            } catch (IOException e) {
                LOG.log(System.Logger.Level.WARNING, "control connection refused: {0}", e.getMessage());
                // Most likely no descriptor is left: trying again at once would only spin.
                pause();
            }
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void serve(SocketChannel channel) throws IOException {
        var connection = new Connection(channel, writeTimeout);
        connections.add(connection);
        try {
            workers.execute(() -> answer(connection));
        } catch (RejectedExecutionException e) {
            // An empty socket takes this much at once: the accepting thread does not wait here.
            try {
                refuse(connection, "commands=%d expected=fewer at a time; try again".formatted(WORKERS));
            } finally {
                end(connection);
            }
        }
    }

    private void answer(Connection connection) {
        try {
            run(connection, command(connection));
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "control connection ended: {0}", e.getMessage());
        } finally {
            end(connection);
        }
    }

    private void run(Connection connection, String command) throws IOException {
        var ended = new AtomicBoolean();
        int code = runner.run(command, new FrameOutput(connection, FrameKind.OUT, ended),
            new FrameOutput(connection, FrameKind.ERR, ended));
        if (!ended.getAndSet(true)) {
            exit(connection, code);
        }
    }

    /// Reads the command, with every number checked before it is used.
    private String command(Connection connection) throws IOException {
        long deadline = System.nanoTime() + commandTimeout.toNanos();
        ByteBuffer header = ByteBuffer.allocate(FrameKind.HEADER);
        connection.read(header, commandTimeout);
        byte kind = header.flip().get();
        int length = header.getInt();
        if (kind != FrameKind.COMMAND.code()) {
            throw refuse(connection, "frame=0x%02x expected=0x%02x".formatted(kind, FrameKind.COMMAND.code()));
        }
        if (length < 0 || length > FrameKind.MAX_COMMAND) {
            throw refuse(connection, "length=0x%x expected=at most 0x%x".formatted(length, FrameKind.MAX_COMMAND));
        }
        ByteBuffer text = ByteBuffer.allocate(length);
        connection.read(text, Duration.ofNanos(deadline - System.nanoTime()));
        try {
            CharBuffer decoded = StandardCharsets.UTF_8.newDecoder().decode(text.flip());
            return decoded.toString();
        } catch (CharacterCodingException e) {
            throw refuse(connection, "command expected=UTF-8");
        }
    }

    /// Answers with an error.
    ///
    /// @return an exception for callers that have nothing more to do with this client
    private static IOException refuse(Connection connection, String why) throws IOException {
        byte[] line = ("error: " + why + "\n").getBytes(StandardCharsets.UTF_8);
        connection.write(FrameKind.ERR, line, 0, line.length);
        exit(connection, CommandRunner.FAILURE);
        return new IOException(why);
    }

    private static void exit(Connection connection, int code) throws IOException {
        connection.write(FrameKind.EXIT, new byte[] {(byte) code}, 0, 1);
    }

    private void end(Connection connection) {
        connections.remove(connection);
        try {
            connection.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "control connection: {0}", e.getMessage());
        }
    }
}
