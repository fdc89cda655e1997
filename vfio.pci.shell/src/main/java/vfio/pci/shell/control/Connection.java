// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/// A client's connection, on which nothing waits longer than it was told to. Reading is for one thread; writing for any, one frame at a
/// time. Closing ends a wait.
final class Connection implements AutoCloseable {
    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final Duration writeTimeout;

    /// Takes the channel, also when this throws.
    Connection(SocketChannel channel, Duration writeTimeout) throws IOException {
        this.channel = channel;
        this.writeTimeout = writeTimeout;
        Selector opened = null;
        try {
            channel.configureBlocking(false);
            opened = Selector.open();
            key = channel.register(opened, SelectionKey.OP_READ);
        } catch (IOException e) {
            if (opened != null) {
                opened.close();
            }
            channel.close();
            throw e;
        }
        selector = opened;
    }

    /// Fills the buffer up to its limit.
    ///
    /// @throws EOFException when the client ends before
    /// @throws SocketTimeoutException when it takes longer than that
    void read(ByteBuffer buffer, Duration timeout) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer);
            if (count < 0) {
                throw new EOFException("connection ended");
            }
            if (count == 0) {
                await(SelectionKey.OP_READ, deadline);
            }
        }
    }

    /// Sends one frame.
    ///
    /// @throws SocketTimeoutException when the client takes nothing for longer than the write timeout
    synchronized void write(FrameKind kind, byte[] bytes, int offset, int count) throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(FrameKind.HEADER + count).put(kind.code()).putInt(count).put(bytes, offset, count).flip();
        // An interrupted thread that writes would close the channel: what a command does with its threads must not cost its answer.
        boolean interrupted = Thread.interrupted();
        try {
            long deadline = System.nanoTime() + writeTimeout.toNanos();
            while (frame.hasRemaining()) {
                if (channel.write(frame) == 0) {
                    await(SelectionKey.OP_WRITE, deadline);
                } else {
                    deadline = System.nanoTime() + writeTimeout.toNanos();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void await(int operation, long deadline) throws IOException {
        long millis = (deadline - System.nanoTime()) / 1_000_000;
        if (millis <= 0) {
            throw new SocketTimeoutException("client too slow");
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new IOException("interrupted");
        }
        try {
            key.interestOps(operation);
            selector.select(millis);
            selector.selectedKeys().clear();
        } catch (CancelledKeyException | ClosedSelectorException e) {
            throw new EOFException("connection closed");
        }
    }

    @Override
    public void close() throws IOException {
        try (selector) {
            channel.close();
        }
    }
}
