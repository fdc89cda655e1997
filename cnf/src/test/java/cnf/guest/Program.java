// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A child process and the lines of its output, taken in as they come, so that it never waits for us. */
final class Program implements AutoCloseable {
    private static final int SHOWN = 60;
    private static final Duration LAST_WORDS = Duration.ofSeconds(10);

    private final String name;
    private final Process process;
    private final Thread reader;
    /** Guarded by itself. */
    private final List<String> lines = new ArrayList<>();
    /** No line comes any more; guarded by the lines. */
    private boolean ended;

    Program(String name, ProcessBuilder builder) throws IOException {
        this.name = name;
        process = builder.start();
        BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
        reader = Thread.ofVirtual().name(name).start(() -> takeIn(output));
    }

    private void takeIn(BufferedReader output) {
        try (output) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                synchronized (lines) {
                    lines.add(line.stripTrailing());
                    lines.notifyAll();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            synchronized (lines) {
                ended = true;
                lines.notifyAll();
            }
        }
    }

    /** How many lines there are: where to look from for what comes next. */
    int position() {
        synchronized (lines) {
            return lines.size();
        }
    }

    /** The lines from a position on. */
    List<String> linesFrom(int position) {
        synchronized (lines) {
            return List.copyOf(lines.subList(position, lines.size()));
        }
    }

    /** Waits for a line from a position on; the position after it. */
    int await(String what, int position, Predicate<String> matches, Duration longest) throws InterruptedException {
        long deadline = System.nanoTime() + longest.toNanos();
        synchronized (lines) {
            for (int at = position;; at++) {
                while (at >= lines.size()) {
                    long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                    if (ended || left <= 0) {
                        throw new AssertionError("%s %s: %s%n%s".formatted(name, ended ? "ended before" : "did not within " + longest,
                            what, transcript()));
                    }
                    lines.wait(left);
                }
                if (matches.test(lines.get(at))) {
                    return at + 1;
                }
            }
        }
    }

    String line(int position) {
        synchronized (lines) {
            return lines.get(position);
        }
    }

    /** The exit code, once it has ended by itself. */
    int awaitEnd(Duration longest) throws InterruptedException {
        if (!process.waitFor(longest.toNanos(), TimeUnit.NANOSECONDS)) {
            throw new AssertionError("%s did not end within %s%n%s".formatted(name, longest, transcript()));
        }
        reader.join(LAST_WORDS);
        return process.exitValue();
    }

    /** The last of what it printed. */
    String transcript() {
        synchronized (lines) {
            int first = Math.max(0, lines.size() - SHOWN);
            return "---- %s%s%n%s%n----".formatted(name, first == 0 ? "" : ", last " + SHOWN + " lines",
                String.join(System.lineSeparator(), lines.subList(first, lines.size())));
        }
    }

    ProcessHandle handle() {
        return process.toHandle();
    }

    /** Kills it, should it still run, and waits until it has gone. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor();
            reader.join(LAST_WORDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
