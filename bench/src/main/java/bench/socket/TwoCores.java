// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// Client on one processor and server on another: the server that looks for the next request for a while before it sleeps, against the
/// same server that does not. Time by the clock is what counts here, and the processor time of both ends is what it costs.
final class TwoCores {
    private static final String BLOCKING = "blocking server";
    private static final String SPINNING = "spinning server";

    private enum Kind {
        READ4("read of 4 bytes", 20_000),
        WRITE4("write of 4 bytes", 20_000),
        READ4K("read of 4 KiB", 20_000);

        private final String shown;
        private final int count;

        Kind(String shown, int count) {
            this.shown = shown;
            this.count = count;
        }

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Tools tools;
    private final int rounds;
    private final PrintStream out;
    private final Map<String, Spread> clock = new TreeMap<>();
    private final Map<String, Spread> cpu = new TreeMap<>();

    TwoCores(Tools tools, int rounds, PrintStream out) {
        this.tools = tools;
        this.rounds = rounds;
        this.out = out;
    }

    void run() throws IOException, InterruptedException {
        // The server looks how many processors there are when it starts, and is confined to one then.
        try (Side blocking = Side.server(tools, BLOCKING, Main.BOTH, 1, List.of("-Dbench.spin=0"));
                Side spinning = Side.server(tools, SPINNING, Main.BOTH, 1, List.of())) {
            blocking.child().moveTo(Main.SECOND);
            spinning.child().moveTo(Main.SECOND);
            for (int round = -2; round < rounds; round++) {
                for (Kind kind : Kind.values()) {
                    for (Side side : List.of(blocking, spinning)) {
                        Side.Run run = side.run(tools, Main.FIRST, kind.word(), kind.count, 1);
                        if (round >= 0) {
                            clock.computeIfAbsent(side.name() + kind, key -> new Spread(rounds)).put(round, run.nanos());
                            cpu.computeIfAbsent(side.name() + kind, key -> new Spread(rounds)).put(round, run.cpu());
                        }
                    }
                }
            }
        }
        print();
    }

    private void print() {
        out.printf("%nTwo cores, the client waits in its receive; microseconds per message, ratios as median (least to greatest)%n%n");
        out.printf("| message | blocking | spinning / blocking, by the clock | target | processor time of both ends | target |%n");
        out.printf("|---|---|---|---|---|---|%n");
        for (Kind kind : Kind.values()) {
            Spread before = clock.get(BLOCKING + kind);
            out.printf("| %s | %s | %s | 0.70 | %s | 1.00 |%n", kind.shown, before.show(1000, 2),
                clock.get(SPINNING + kind).over(before), cpu.get(SPINNING + kind).over(cpu.get(BLOCKING + kind)));
        }
    }
}
