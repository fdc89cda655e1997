// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;

/** Passes one connection on, until it is told to end it or to alter a byte of what comes next. */
final class FaultyLink implements AutoCloseable {
    private static final int PART = 1 << 16;

    private final Path path;
    private final Path to;
    private final Random random;
    private final ServerSocketChannel listening;
    private final Thread thread;
    /** Guarded by this, as all that follows. */
    private Optional<SocketChannel> client = Optional.empty();
    private Optional<SocketChannel> server = Optional.empty();
    private boolean ended;
    private boolean alterThere;
    private boolean alterBack;
    private boolean altered;

    FaultyLink(Path path, Path to, Random random) throws IOException {
        this.path = path;
        this.to = to;
        this.random = random;
        listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
        thread = Thread.ofPlatform().daemon().name("link").start(this::run);
    }

    /** Ends it. */
    synchronized void cut() throws IOException {
        ended = true;
        if (client.isPresent()) {
            client.get().close();
        }
        if (server.isPresent()) {
            server.get().close();
        }
    }

    /** Alters a byte of what is passed next, by the one who connects or back to it. */
    synchronized void alter(boolean back) {
        alterThere = !back;
        alterBack = back;
    }

    /** Whether a byte was altered. */
    synchronized boolean altered() {
        return altered;
    }

    private void run() {
        try (SocketChannel from = listening.accept(); SocketChannel onTo = SocketChannel.open(UnixDomainSocketAddress.of(to))) {
            if (!begin(from, onTo)) {
                return;
            }
            Thread back = Thread.ofPlatform().daemon().name("link back").start(() -> pass(onTo, from, true));
            pass(from, onTo, false);
            back.join();
        } catch (IOException e) {
            // One of them has gone, which is what the other is to see.
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean begin(SocketChannel from, SocketChannel onTo) {
        client = Optional.of(from);
        server = Optional.of(onTo);
        return !ended;
    }

    private void pass(SocketChannel from, SocketChannel onTo, boolean back) {
        ByteBuffer buffer = ByteBuffer.allocate(PART);
        try {
            while (from.read(buffer.clear()) >= 0) {
                tamper(buffer.flip(), back);
                while (buffer.hasRemaining()) {
                    onTo.write(buffer);
                }
            }
            onTo.shutdownOutput();
        } catch (IOException e) {
            return;
        }
    }

    private synchronized void tamper(ByteBuffer buffer, boolean back) {
        if (back ? alterBack : alterThere) {
            int at = random.nextInt(buffer.limit());
            buffer.put(at, (byte) (buffer.get(at) ^ 1 + random.nextInt(255)));
            alterThere = false;
            alterBack = false;
            altered = true;
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        listening.close();
        cut();
        Files.deleteIfExists(path);
        thread.join();
    }
}
