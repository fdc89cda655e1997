// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;

/// What the server's threads allocate for messages, and what its collector does meanwhile.
final class Allocation {
    private static final int EACH = 250_000;
    private static final int ROUNDS = 5;
    private static final List<String> KINDS = List.of("read4", "write4");

    private Allocation() {
    }

    static void run(Tools tools, PrintStream out) throws IOException {
        try (Side server = Side.server(tools, "server", Main.FIRST, 1, List.of())) {
            // Counts what a connection itself costs, and lets the compilers finish.
            round(tools, server, 20_000);
            long connections = leastOf(tools, server, 1_000);
            Map<String, Double> before = server.child().ask("state");
            long messages = (long) KINDS.size() * EACH;
            long allocated = leastOf(tools, server, EACH);
            Map<String, Double> after = server.child().ask("state");
            out.printf("%n| figure | value | target |%n|---|---|---|%n");
            out.printf("| bytes allocated by the server's threads, %d messages over %d connections | %d | - |%n", messages, KINDS.size(),
                allocated);
            out.printf("| the same with %d messages over as many connections | %d | - |%n", KINDS.size() * 1_000, connections);
            double more = messages - KINDS.size() * 1_000;
            out.printf("| bytes for each message more | %.4f | 0 |%n", (allocated - connections) / more);
            out.printf("| collections in %d times as many messages, and their pauses | %.0f, %.0f ms | - |%n", ROUNDS,
                after.get("collections") - before.get("collections"), after.get("millis") - before.get("millis"));
        }
    }

    /// What every round allocates. On a busy machine a thread may take over within one, which costs some kilobytes.
    private static long leastOf(Tools tools, Side server, int each) throws IOException {
        long least = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            least = Math.min(least, round(tools, server, each));
        }
        return least;
    }

    private static long round(Tools tools, Side server, int each) throws IOException {
        double before = server.child().ask("state").get("allocated");
        for (String kind : KINDS) {
            server.run(tools, Main.FIRST, kind, each, 1);
        }
        return (long) (server.child().ask("state").get("allocated") - before);
    }
}
