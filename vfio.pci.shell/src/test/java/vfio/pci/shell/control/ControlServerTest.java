// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The protocol over a real socket, byte by byte; the commands are the test's own.
@Timeout(20)
class ControlServerTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final CommandRunner ECHO = (command, out, err) -> {
        print(out, "out " + command);
        print(err, "err");
        return command.equals("fail") ? CommandRunner.FAILURE : CommandRunner.SUCCESS;
    };

    @TempDir
    private Path folder;

    private static void print(OutputStream stream, String text) {
        try {
            stream.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private ControlServer server(CommandRunner runner) throws Exception {
        return new ControlServer(folder.resolve("s"), runner);
    }

    private SocketChannel connect() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("s")));
    }

    private static void send(SocketChannel client, int kind, int length, byte[] bytes) throws IOException {
        var out = new DataOutputStream(Channels.newOutputStream(client));
        out.writeByte(kind);
        out.writeInt(length);
        out.write(bytes);
        out.flush();
    }

    private static void sendCommand(SocketChannel client, String command) throws IOException {
        byte[] bytes = command.getBytes(StandardCharsets.UTF_8);
        send(client, 'c', bytes.length, bytes);
    }

    /// All frames up to the exit code or the end of the connection, as `o:text`, `e:text` or `x:code`.
    private static List<String> answer(SocketChannel client) throws IOException {
        var frames = new ArrayList<String>();
        var in = new DataInputStream(Channels.newInputStream(client));
        for (int kind = in.read(); kind >= 0; kind = in.read()) {
            byte[] bytes = in.readNBytes(in.readInt());
            if (kind == 'x') {
                frames.add("x:" + bytes[0]);
                return frames;
            }
            frames.add((char) kind + ":" + new String(bytes, StandardCharsets.UTF_8));
        }
        return frames;
    }

    private List<String> exchange(String command) throws IOException {
        try (SocketChannel client = connect()) {
            sendCommand(client, command);
            return answer(client);
        }
    }

    @Test
    void rejectsOtherFrame() throws Exception {
        try (var _ = server(ECHO); SocketChannel client = connect()) {
            send(client, 'o', 0, new byte[0]);
            assertThat(answer(client)).containsExactly("e:error: frame=0x6f expected=0x63\n", "x:3");
        }
    }

    @Test
    void rejectsTooLongCommandBeforeReadingIt() throws Exception {
        try (var _ = server(ECHO)) {
            for (int length : new int[] {FrameKind.MAX_COMMAND + 1, Integer.MAX_VALUE, -1}) {
                try (SocketChannel client = connect()) {
                    send(client, 'c', length, new byte[0]);
                    assertThat(answer(client)).containsExactly("e:error: length=0x%x expected=at most 0x10000\n".formatted(length), "x:3");
                }
            }
        }
    }

    @Test
    void rejectsCommandThatIsNotUtf8() throws Exception {
        try (var _ = server(ECHO); SocketChannel client = connect()) {
            send(client, 'c', 1, new byte[] {(byte) 0xFF});
            assertThat(answer(client)).containsExactly("e:error: command expected=UTF-8\n", "x:3");
        }
    }

    @Test
    void dropsSilentClient() throws Exception {
        try (var _ = new ControlServer(folder.resolve("s"), ECHO, Duration.ofMillis(50), LONG); SocketChannel client = connect()) {
            send(client, 'c', 10, new byte[3]);
            assertThatThrownBy(() -> {
                assertThat(answer(client)).isEmpty();
                throw new IOException("end of file");
            }).isInstanceOf(IOException.class);
            assertThat(exchange("again")).hasSize(3);
        }
    }

    @Test
    void refusesMoreThanItsWorkersAndRecovers() throws Exception {
        var running = new CountDownLatch(ControlServer.WORKERS);
        var release = new CountDownLatch(1);
        try (var _ = server((command, _, _) -> {
            running.countDown();
            return await(release) ? CommandRunner.SUCCESS : CommandRunner.FAILURE;
        })) {
            var clients = new ArrayList<SocketChannel>();
            for (int i = 0; i < ControlServer.WORKERS; i++) {
                clients.add(connect());
                sendCommand(clients.getLast(), "wait");
            }
            running.await();
            try (SocketChannel oneMore = connect()) {
                assertThat(answer(oneMore)).containsExactly("e:error: commands=8 expected=fewer at a time; try again\n", "x:3");
            }
            release.countDown();
            for (SocketChannel client : clients) {
                assertThat(answer(client)).containsExactly("x:0");
                client.close();
            }
            // A worker is free a moment after its client was answered.
            while (!takesOneMore()) {
                Thread.onSpinWait();
            }
        }
    }

    private boolean takesOneMore() throws IOException {
        try (SocketChannel client = connect()) {
            sendCommand(client, "again");
            return answer(client).equals(List.of("x:0"));
        } catch (IOException e) {
            assertThat(e).hasMessageMatching("Broken pipe|Connection reset");
            return false;
        }
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(LONG.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            return false;
        }
    }

    @Test
    void letsCommandEndWhenItsClientHasGone() throws Exception {
        var gone = new CountDownLatch(1);
        var ended = new CountDownLatch(1);
        try (var _ = server((command, out, _) -> {
            assertThat(await(gone)).isTrue();
            print(out, "x".repeat(1 << 20));
            ended.countDown();
            return CommandRunner.SUCCESS;
        })) {
            try (SocketChannel client = connect()) {
                sendCommand(client, "print");
            }
            gone.countDown();
            assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void letsCommandEndWhenItsClientTakesNothing() throws Exception {
        var ended = new CountDownLatch(1);
        try (var _ = new ControlServer(folder.resolve("s"), (command, out, _) -> {
            print(out, "x".repeat(16 << 20));
            ended.countDown();
            return CommandRunner.SUCCESS;
        }, LONG, Duration.ofMillis(100)); SocketChannel client = connect()) {
            sendCommand(client, "print");
            assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(client.isOpen()).isTrue();
        }
    }

    @Test
    void stopsWhileCommandRuns() throws Exception {
        var running = new CountDownLatch(1);
        var interrupted = new CountDownLatch(1);
        try (SocketChannel client = startAndStop(running, interrupted)) {
            assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(folder).isEmptyDirectory();
            assertThatThrownBy(this::connect).isInstanceOf(IOException.class);
            assertThat(client.isOpen()).isTrue();
        }
    }

    private SocketChannel startAndStop(CountDownLatch running, CountDownLatch interrupted) throws Exception {
        try (var _ = server((command, _, _) -> {
            running.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            return CommandRunner.FAILURE;
        })) {
            SocketChannel client = connect();
            sendCommand(client, "wait");
            running.await();
            return client;
        }
    }

    @Test
    void keepsOutputAndErrorsApartAndInOrder() throws Exception {
        try (var _ = server(ECHO)) {
            assertThat(exchange("good ü")).containsExactly("o:out good ü", "e:err", "x:0");
            assertThat(exchange("fail")).containsExactly("o:out fail", "e:err", "x:3");
            assertThat(exchange("")).containsExactly("o:out ", "e:err", "x:0");
        }
    }

    @Test
    void takesCommandByteByByte() throws Exception {
        try (var _ = server(ECHO); SocketChannel client = connect()) {
            var out = Channels.newOutputStream(client);
            for (byte each : new byte[] {'c', 0, 0, 0, 2, 'h', 'i'}) {
                out.write(each);
            }
            assertThat(answer(client)).containsExactly("o:out hi", "e:err", "x:0");
        }
    }

    @Test
    void splitsLongOutput() throws Exception {
        String line = "0123456789abcdef".repeat(3 * FrameKind.MAX_OUTPUT / 16) + "end";
        try (var _ = server((command, out, _) -> {
            print(out, line);
            return CommandRunner.SUCCESS;
        })) {
            List<String> frames = exchange("print");
            assertThat(frames).hasSize(5).endsWith("x:0");
            assertThat(String.join("", frames.subList(0, 4).stream().map(frame -> frame.substring(2)).toList())).isEqualTo(line);
        }
    }
}
