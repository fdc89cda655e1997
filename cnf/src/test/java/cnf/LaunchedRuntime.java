// SPDX-License-Identifier: Apache-2.0
package cnf;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/** The distribution as a process, started by its own launch.sh; its prompt is typed to and read by the test. */
public final class LaunchedRuntime implements AutoCloseable {
    /** The distribution under test. */
    public static final Path DISTRIBUTION = Path.of(System.getProperty("distribution"));
    private static final long DEADLINE_SECONDS = 30;

    private final Process process;
    private final PrintStream input;
    private final BufferedReader output;
    private final List<String> printed = new ArrayList<>();

    /** Starts in {@code state}, where the watched folders {@code etc} and {@code load} stand as well. */
    LaunchedRuntime(Path state, String... javaOptions) throws IOException {
        process = builder(state, javaOptions).start();
        input = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        output = process.inputReader(StandardCharsets.UTF_8);
    }

    /** What starts a runtime in {@code state}, its errors among its output. */
    public static ProcessBuilder builder(Path state, String... javaOptions) {
        var command = new ArrayList<>(List.of("sh", "-c", ". \"$0/bin/launch.sh\"; launch_runtime \"$0\" \"$@\"",
            DISTRIBUTION.toString(), state.toString()));
        command.addAll(List.of(javaOptions));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("JAVA", Path.of(System.getProperty("java.home"), "bin", "java").toString());
        builder.environment().put("VFIO_ETC", state.resolve("etc").toString());
        builder.environment().put("VFIO_LOAD", state.resolve("load").toString());
        return builder;
    }

    void type(String line) {
        input.println(line);
    }

    /** Reads on to the first line that matches. A runtime that falls silent is killed, which ends the reading. */
    String awaitLine(Predicate<String> matches) throws IOException, InterruptedException, TimeoutException {
        var guard = Thread.ofVirtual().start(this::killWhenOverdue);
        try {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                printed.add(line);
                if (matches.test(line)) {
                    return line;
                }
            }
        } finally {
            guard.interrupt();
            guard.join();
        }
        throw new TimeoutException("the runtime ended or fell silent after\n" + String.join("\n", printed));
    }

    /** Types a command now and then until a line of its output matches, or does not any more. */
    void awaitAnswer(String command, Predicate<String> matches, boolean present) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
        List<String> last = answer(command);
        while (last.stream().anyMatch(matches) != present) {
            if (process.waitFor(50, TimeUnit.MILLISECONDS) || System.nanoTime() > deadline) {
                throw new TimeoutException(command + " last answered\n" + String.join("\n", last));
            }
            last = answer(command);
        }
    }

    /** The lines that a command printed. */
    List<String> answer(String command) throws Exception {
        int before = printed.size();
        type(command);
        type("echo end-of-answer");
        awaitLine(line -> line.endsWith("end-of-answer"));
        return List.copyOf(printed.subList(before, printed.size() - 1));
    }

    void endInput() {
        input.close();
    }

    void terminate() {
        process.toHandle().destroy(); // Process.destroy would close what it still has to say
    }

    /** Everything printed, once the runtime has ended by itself. */
    List<String> awaitEnd() throws IOException, InterruptedException, TimeoutException {
        try {
            awaitLine(line -> false);
        } catch (TimeoutException end) {
            if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
                throw end;
            }
        }
        return printed;
    }

    int exitCode() {
        return process.exitValue();
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        input.close();
        output.close();
    }

    private void killWhenOverdue() {
        try {
            if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
