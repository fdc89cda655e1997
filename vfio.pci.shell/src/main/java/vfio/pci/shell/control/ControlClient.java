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
import java.util.ArrayList;
import java.util.List;

/// The other end of a control socket, a program of its own: `./vfio sh` runs it from the bundle's jar, with nothing else on its class path.
///
/// - `run PATH COMMAND` runs the command in the runtime at that socket: its output, its error text, its exit code. Exit code 4, and one
///   line, when there is no such runtime or it ended meanwhile.
/// - `live PATH...` prints those paths on which a runtime listens; exit code 0 when there is one.
public final class ControlClient {
    private static final int NO_RUNTIME = 4;
    private static final int USAGE = 2;

    private ControlClient() {
    }

    /// As above.
    public static void main(String[] arguments) {
        int code = USAGE;
        if (arguments.length == 3 && arguments[0].equals("run")) {
            code = run(Path.of(arguments[1]), arguments[2], System.out, System.err);
        } else if (arguments.length > 0 && arguments[0].equals("live")) {
            List<String> live = new ArrayList<>();
            for (int i = 1; i < arguments.length; i++) {
                if (SocketProbe.isLive(Path.of(arguments[i]))) {
                    live.add(arguments[i]);
                }
            }
            live.forEach(System.out::println);
            code = live.isEmpty() ? NO_RUNTIME : 0;
        } else {
            System.err.println("usage: run PATH COMMAND, or live PATH...");
        }
        System.out.flush();
        System.exit(code);
    }

    /// Runs one command and passes on what it prints.
    ///
    /// @return the command's exit code, or [#NO_RUNTIME]
    static int run(Path socket, String command, PrintStream out, PrintStream err) {
        byte[] text = command.getBytes(StandardCharsets.UTF_8);
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            var reason = send(channel, text);
            try {
                return receive(channel, out, err);
            } catch (IOException e) {
                err.printf("error: control=%s expected=a runtime that stays; it ended (%s)%n", socket, reason == null ? e : reason);
            }
        } catch (IOException e) {
            err.printf("error: control=%s expected=a running runtime (%s)%n", socket, e.getMessage());
        }
        return NO_RUNTIME;
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
                    return bytes.length == 1 ? bytes[0] & 0xFF : NO_RUNTIME;
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
