// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// How long `./vfio serve` takes until a client may connect.
final class StartUp {
    private static final String ADDRESS = "0000:3b:02.0";
    private static final double MILLI = 1e6;

    private StartUp() {
    }

    static void run(Tools tools, int rounds, PrintStream out) throws IOException, InterruptedException {
        Spread serving = new Spread(rounds);
        Spread bare = new Spread(rounds);
        for (int round = -1; round < rounds; round++) {
            double whole = untilLine(List.of("./vfio", "serve", ADDRESS, tools.socket("start").toString()), "serving ");
            double server = untilLine(tools.java(List.of(), Server.class, List.of(tools.socket("bare").toString())), "ready");
            if (round >= 0) {
                serving.put(round, whole);
                bare.put(round, server);
            }
        }
        out.printf("%n| from the command to the first client | ms, median (least to greatest) | target |%n|---|---|---|%n");
        out.printf("| `./vfio serve`, the whole runtime | %s | 1000 |%n", serving);
        out.printf("| the server alone, without a framework | %s | - |%n", bare);
    }

    private static double untilLine(List<String> command, String start) throws IOException, InterruptedException {
        long began = System.nanoTime();
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader output = process.inputReader()) {
            String line = output.readLine();
            double millis = (System.nanoTime() - began) / MILLI;
            if (line == null || !line.startsWith(start)) {
                throw new IOException("said=" + line + " expected=" + start);
            }
            return millis;
        } finally {
            process.destroy();
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }
}
