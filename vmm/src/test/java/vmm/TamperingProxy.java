// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/// Passes one connection on, with a byte of what the client sends altered, or with an end there.
final class TamperingProxy implements AutoCloseable {
    private final Path path;
    private final ServerSocketChannel listening;
    private final Path to;
    private final long at;
    private final boolean cut;
    private volatile boolean tampered;

    TamperingProxy(Path path, Path to, long at, boolean cut) throws IOException {
        this.path = path;
        this.to = to;
        this.at = at;
        this.cut = cut;
        listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
        Thread.ofPlatform().daemon().start(this::run);
    }

    /// Whether the client sent so much.
    boolean tampered() {
        return tampered;
    }

    private void run() {
        try (SocketChannel client = listening.accept(); SocketChannel server = SocketChannel.open(UnixDomainSocketAddress.of(to))) {
            Thread back = Thread.ofPlatform().daemon().start(() -> passBack(server, client));
            pass(client, server);
            server.shutdownOutput();
            back.join();
        } catch (IOException e) {
            // One of them has gone, which is what the other is to see.
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void pass(SocketChannel from, SocketChannel onTo) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        long done = 0;
        while (from.read(buffer.clear()) >= 0) {
            buffer.flip();
            long offset = at - done;
            if (offset >= 0 && offset < buffer.limit()) {
                tampered = true;
                if (cut) {
                    buffer.limit((int) offset);
                } else {
                    buffer.put((int) offset, (byte) (buffer.get((int) offset) ^ 0x10));
                }
            }
            done += buffer.limit();
            while (buffer.hasRemaining()) {
                onTo.write(buffer);
            }
            if (cut && tampered) {
                return;
            }
        }
    }

    private static void passBack(SocketChannel from, SocketChannel onTo) {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 12);
        try {
            while (from.read(buffer.clear()) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    onTo.write(buffer);
                }
            }
        } catch (IOException e) {
            return;
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        Files.deleteIfExists(path);
    }
}
