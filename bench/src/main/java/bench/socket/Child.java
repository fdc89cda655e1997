// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A process of the bench on one processor, which speaks lines.
final class Child implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;
    private final Writer input;
    /// By thread, those that have ended included.
    private final Map<Path, Long> cpuNanos = new HashMap<>();

    private Child(Process process) {
        this.process = process;
        output = process.inputReader();
        input = process.outputWriter();
    }

    /// Starts a program on that processor. What it complains about is shown.
    static Child start(int processor, List<String> command) throws IOException {
        List<String> pinned = new ArrayList<>(List.of("taskset", "-c", Integer.toString(processor)));
        pinned.addAll(command);
        return new Child(new ProcessBuilder(pinned).redirectError(ProcessBuilder.Redirect.INHERIT).start());
    }

    /// Waits for a line.
    ///
    /// @throws IOException when it is another, or none
    Child await(String line) throws IOException {
        String said = output.readLine();
        if (!line.equals(said)) {
            throw new IOException("said=" + said + " expected=" + line);
        }
        return this;
    }

    /// Says a line and waits for the answer, `key=value` separated by blanks.
    Map<String, Double> ask(String line) throws IOException {
        input.write(line + "\n");
        input.flush();
        String answer = output.readLine();
        if (answer == null) {
            throw new IOException("said=nothing expected=an answer to " + line);
        }
        Map<String, Double> values = new HashMap<>();
        for (String pair : answer.split(" ")) {
            int equals = pair.indexOf('=');
            values.put(pair.substring(0, equals), Double.valueOf(pair.substring(equals + 1)));
        }
        return values;
    }

    /// Nanoseconds that its threads have had a processor, less what one had after the last call and before it ended.
    long cpuNanos() throws IOException {
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc", Long.toString(process.pid()), "task"))) {
            for (Path task : tasks) {
                try {
                    cpuNanos.put(task, Long.valueOf(Files.readString(task.resolve("schedstat")).split(" ")[0]));
                } catch (NoSuchFileException ended) {
                    // One that came and went.
                    continue;
                }
            }
        }
        return cpuNanos.values().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public void close() {
        try {
            input.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            process.destroy();
        }
    }
}
