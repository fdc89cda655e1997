// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import java.util.Optional;

/// What a frame of the control protocol is; see the package.
enum FrameKind {
    /// Client to server: the command, UTF-8.
    COMMAND('c'),
    /// Server to client: bytes for standard output.
    OUT('o'),
    /// Server to client: bytes for standard error.
    ERR('e'),
    /// Server to client: the exit code, one byte; the last frame.
    EXIT('x');

    /// Bytes before a frame's content: its kind and its length.
    static final int HEADER = 5;
    /// Longest command.
    static final int MAX_COMMAND = 0x1_0000;
    /// Longest frame from the server.
    static final int MAX_OUTPUT = 0x1_0000;

    private final byte code;

    FrameKind(char code) {
        this.code = (byte) code;
    }

    byte code() {
        return code;
    }

    static Optional<FrameKind> of(byte code) {
        for (FrameKind kind : values()) {
            if (kind.code == code) {
                return Optional.of(kind);
            }
        }
        return Optional.empty();
    }
}
