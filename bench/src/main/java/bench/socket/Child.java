// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A process of the bench on processors of its own, which speaks lines.
final class Child implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;
    private final Writer input;

    private Child(Process process) {
        this.process = process;
        output = process.inputReader();
        input = process.outputWriter();
    }

    /// Starts a program on those processors, as `taskset` names them. What it complains about is shown.
    static Child start(String processors, List<String> command) throws IOException {
        List<String> pinned = new ArrayList<>(List.of("taskset", "-c", processors));
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

    /// Confines it, all its threads, to other processors.
    void moveTo(String processors) throws IOException, InterruptedException {
        Process move = new ProcessBuilder("taskset", "-a", "-p", "-c", processors, Long.toString(process.pid()))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        int code = move.waitFor();
        if (code != 0) {
            throw new IOException("taskset code=" + code + " processors=" + processors);
        }
    }

    /// Nanoseconds that it has had a processor.
    long cpuNanos() throws IOException {
        return CpuClock.nanos(process.pid());
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
