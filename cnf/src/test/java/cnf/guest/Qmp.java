// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** QEMU's monitor, in lines of JSON (docs/interop/qmp-spec.rst); what it says is taken in as it comes. */
final class Qmp implements AutoCloseable {
    private static final Duration LONGEST = Duration.ofSeconds(60);

    private final SocketChannel channel;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

    /** Connects to where `-qmp unix:PATH,server=on,wait=off` listens. */
    Qmp(Path socket) throws IOException, InterruptedException {
        channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        Thread.ofVirtual().name("qmp").start(this::takeIn);
        execute("qmp_capabilities", "{}");
    }

    private void takeIn() {
        try (BufferedReader lines = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.contains("\"event\"")) {
                    events.add(line);
                } else if (!line.contains("\"QMP\"")) {
                    answers.add(line);
                }
            }
        } catch (AsynchronousCloseException e) {
            return;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs a command that succeeds. */
    void execute(String command, String arguments) throws IOException, InterruptedException {
        String text = "{\"execute\":\"%s\",\"arguments\":%s}%n".formatted(command, arguments);
        channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        String answer = answers.poll(LONGEST.toMillis(), TimeUnit.MILLISECONDS);
        if (answer == null || !answer.contains("\"return\"")) {
            throw new AssertionError("%s was answered by %s".formatted(text.strip(), answer));
        }
    }

    /** Waits for an event with all of these words; those before it are passed over. */
    void await(String... words) throws InterruptedException {
        long deadline = System.nanoTime() + LONGEST.toNanos();
        while (true) {
            String event = events.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (event == null) {
                throw new AssertionError("no event with " + String.join(", ", words) + " within " + LONGEST);
            }
            boolean all = true;
            for (String word : words) {
                all &= event.contains(word);
            }
            if (all) {
                return;
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
