// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// The other end of a control socket, a program of its own: `./vfio sh` runs it from the bundle's jar, with nothing else on its class path.
/// Arguments are the command, then the sockets where a runtime may listen. The command runs in the one that does: its output, its error
/// text, its exit code. Exit code 4, without a word, means that none does and nothing was run.
public final class ControlClient {
    /// No runtime listens.
    static final int NO_RUNTIME = 4;
    private static final int USAGE = 2;

    private ControlClient() {
    }

    /// As above.
    public static void main(String[] arguments) {
        int code = USAGE;
        if (arguments.length < 2) {
            System.err.println("usage: COMMAND SOCKET...");
        } else {
            List<Path> sockets = Arrays.stream(arguments).skip(1).map(Path::of).toList();
            code = run(sockets, arguments[0], System.out, System.err);
        }
        System.out.flush();
        System.exit(code);
    }

    /// Runs a command in the one runtime that listens, and passes on what it prints.
    ///
    /// @return the command's exit code; [#NO_RUNTIME] when none listens; [CommandRunner#FAILURE], and one line, when several do or the
    ///     runtime ended before the command
    public static int run(List<Path> sockets, String command, PrintStream out, PrintStream err) {
        List<Path> live = sockets.stream().filter(SocketProbe::isLive).toList();
        if (live.isEmpty()) {
            return NO_RUNTIME;
        }
        if (live.size() > 1) {
            err.printf("error: runtimes=%d expected=one; choose with --control: %s%n", live.size(),
                String.join(" ", live.stream().map(Path::toString).toList()));
            return CommandRunner.FAILURE;
        }
        Path socket = live.getFirst();
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            IOException unsent = send(channel, command.getBytes(StandardCharsets.UTF_8));
            try {
                return receive(channel, out, err);
            } catch (IOException e) {
                String why = unsent == null ? "it ended before the command did" : unsent.getMessage();
                err.printf("error: control=%s expected=a runtime that stays (%s)%n", socket, why);
                return CommandRunner.FAILURE;
            }
        } catch (IOException e) {
            err.printf("error: control=%s expected=a running runtime (%s)%n", socket, e.getMessage());
            return CommandRunner.FAILURE;
        }
    }

    /// Sends the command. A server that refuses it may have closed its side already: its answer is there to be read all the same.
    private static IOException send(SocketChannel channel, byte[] text) {
        ByteBuffer frame = ByteBuffer.allocate(FrameKind.HEADER + text.length)
            .put(FrameKind.COMMAND.code()).putInt(text.length).put(text).flip();
        try {
            while (frame.hasRemaining()) {
                channel.write(frame);
            }
            return null;
        } catch (IOException e) {
            return e;
        }
    }

    private static int receive(SocketChannel channel, PrintStream out, PrintStream err) throws IOException {
        var in = new DataInputStream(new BufferedInputStream(Channels.newInputStream(channel), FrameKind.MAX_OUTPUT));
        while (true) {
            byte code = in.readByte();
            FrameKind kind = FrameKind.of(code).orElseThrow(() -> new IOException("frame=0x%02x".formatted(code)));
            int length = in.readInt();
            if (length < 0 || length > FrameKind.MAX_OUTPUT) {
                throw new IOException("length=0x%x".formatted(length));
            }
            byte[] bytes = in.readNBytes(length);
            if (bytes.length < length) {
                throw new EOFException("connection ended");
            }
            switch (kind) {
                case OUT -> pass(bytes, out);
                case ERR -> pass(bytes, err);
                case EXIT -> {
                    return bytes.length == 1 ? bytes[0] & 0xFF : CommandRunner.FAILURE;
                }
                case COMMAND -> throw new IOException("frame=0x%02x".formatted(code));
            }
        }
    }

    private static void pass(byte[] bytes, OutputStream to) throws IOException {
        to.write(bytes);
        to.flush();
    }
}
