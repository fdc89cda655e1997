// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// How long `./vfio serve` takes until a client may connect, and where that time goes: a JVM that logs the classes it loads tells by the
/// first of them when a stage begins.
final class StartUp {
    static final String ADDRESS = "0000:3b:02.0";
    private static final double MILLI = 1e6;
    private static final int ENDING_SECONDS = 20;

    /// What is done until the first class of the next stage is loaded, in order; the last one ends when a client may connect.
    private enum Stage {
        SCRIPT("the script", ""),
        JVM("the JVM", "java.lang.Object "),
        FRAMEWORK("the framework: bundles installed and resolved", "org.apache.felix.main.Main "),
        BUNDLES("bundles, components and configurations started", "org.apache.felix.cm.impl.Activator "),
        SERVING("the transport: native calls, loop, socket", "vfio.pci.shell.launch.ServeOrder ");

        private final String name;
        private final String firstClass;

        Stage(String name, String firstClass) {
            this.name = name;
            this.firstClass = firstClass;
        }
    }

    private final Tools tools;
    private final int rounds;
    private final PrintStream out;

    StartUp(Tools tools, int rounds, PrintStream out) {
        this.tools = tools;
        this.rounds = rounds;
        this.out = out;
    }

    /// Leaves the first round out: it makes the archive of classes.
    void run() throws IOException, InterruptedException {
        Spread serving = new Spread(rounds);
        Spread bare = new Spread(rounds);
        List<Spread> stages = new ArrayList<>();
        for (int i = 0; i < Stage.values().length; i++) {
            stages.add(new Spread(rounds));
        }
        for (int round = -1; round < rounds; round++) {
            double whole = untilLine(new ProcessBuilder(serve(tools.socket("start"))), "serving ");
            double server = untilLine(new ProcessBuilder(tools.java(List.of(), Server.class,
                List.of(tools.socket("bare").toString()))), "ready");
            double[] each = stages();
            if (round >= 0) {
                serving.put(round, whole);
                bare.put(round, server);
                for (int i = 0; i < each.length; i++) {
                    stages.get(i).put(round, each[i]);
                }
            }
        }
        out.printf("%n| from the command to the first client | ms, median (least to greatest) | target |%n|---|---|---|%n");
        out.printf("| `./vfio serve`, the whole runtime | %s | 1000 |%n", serving);
        out.printf("| the server alone, without a framework | %s | - |%n", bare);
        out.printf("%n| stage of `./vfio serve`, with a log of classes | ms |%n|---|---|%n");
        for (Stage stage : Stage.values()) {
            out.printf("| %s | %s |%n", stage.name, stages.get(stage.ordinal()));
        }
    }

    /// The command; the first line of its output, which is of the control socket, is for whoever reads it to pass over.
    static List<String> serve(Path socket) {
        return List.of("./vfio", "serve", ADDRESS, socket.toString());
    }

    private double[] stages() throws IOException, InterruptedException {
        Path log = tools.socket("classes");
        var builder = new ProcessBuilder(serve(tools.socket("staged")));
        builder.environment().put("JAVA_TOOL_OPTIONS", "-Xlog:class+load:file=" + log + ":timenanos");
        long began = System.nanoTime();
        long end = began + Math.round(untilLine(builder, "serving ") * MILLI);
        List<String> lines = Files.readAllLines(log);
        Stage[] all = Stage.values();
        long[] starts = new long[all.length + 1];
        starts[0] = began;
        for (int i = 1; i < all.length; i++) {
            starts[i] = firstLoad(lines, all[i].firstClass);
        }
        starts[all.length] = end;
        double[] millis = new double[all.length];
        for (int i = 0; i < all.length; i++) {
            millis[i] = (starts[i + 1] - starts[i]) / MILLI;
        }
        return millis;
    }

    /// A line is `[NANOSECONDSns] CLASS source: ...`, by the clock of [System#nanoTime()].
    private static long firstLoad(List<String> lines, String type) throws IOException {
        for (String line : lines) {
            int end = line.indexOf("ns] ");
            if (end > 0 && line.startsWith(type, end + "ns] ".length())) {
                return Long.parseLong(line, 1, end, 10);
            }
        }
        throw new IOException("class=" + type + " expected=in the log of classes");
    }

    /// Milliseconds until it says such a line; then it is ended.
    static double untilLine(ProcessBuilder builder, String start) throws IOException, InterruptedException {
        long began = System.nanoTime();
        Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (BufferedReader output = process.inputReader()) {
            String line = output.readLine();
            while (line != null && !line.startsWith(start)) {
                line = output.readLine();
            }
            if (line == null) {
                throw new IOException("said=nothing expected=" + start);
            }
            return (System.nanoTime() - began) / MILLI;
        } finally {
            // By its handle, so that what it still says is not cut off.
            process.toHandle().destroy();
            if (!process.waitFor(ENDING_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }
}
