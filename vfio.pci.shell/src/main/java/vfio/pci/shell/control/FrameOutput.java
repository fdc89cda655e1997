// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/// What a command prints, as frames. Once the client takes no more, or the command has been answered, everything is discarded: a command is
/// not to fail because nobody listens. One that prints without end sees that its thread is interrupted, once.
final class FrameOutput extends OutputStream {
    private final Connection connection;
    private final FrameKind kind;
    private final AtomicBoolean ended;

    /// @param ended shared by the outputs of one command
    FrameOutput(Connection connection, FrameKind kind, AtomicBoolean ended) {
        this.connection = connection;
        this.kind = kind;
        this.ended = ended;
    }

    @Override
    public void write(int value) {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, bytes.length);
        for (int sent = 0; sent < count && !ended.get(); sent += FrameKind.MAX_OUTPUT) {
            send(bytes, offset + sent, Math.min(count - sent, FrameKind.MAX_OUTPUT));
        }
    }

    private void send(byte[] bytes, int offset, int count) {
        try {
            connection.write(kind, bytes, offset, count);
        } catch (IOException e) {
            ended.set(true);
            Thread.currentThread().interrupt();
        }
    }
}
