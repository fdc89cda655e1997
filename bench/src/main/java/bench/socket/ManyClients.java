// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// 64 clients with a device each against one, all on one processor and from the same client program, one request outstanding each.
final class ManyClients {
    private static final int CLIENTS = 64;
    private static final int COUNT = 40_000;
    private static final List<String> LATENCIES = List.of("p50", "p99", "p999");

    private final Tools tools;
    private final int rounds;
    private final PrintStream out;

    ManyClients(Tools tools, int rounds, PrintStream out) {
        this.tools = tools;
        this.rounds = rounds;
        this.out = out;
    }

    void run() throws IOException {
        Spread throughput = new Spread(rounds);
        Spread byClock = new Spread(rounds);
        Map<String, Spread> many = new TreeMap<>();
        Map<String, Spread> alone = new TreeMap<>();
        try (Side server = Side.server(tools, "server", Main.FIRST, CLIENTS, List.of())) {
            for (int round = -2; round < rounds; round++) {
                Side.Run one = server.run(tools, Main.FIRST, "+read4", COUNT, 1);
                Side.Run all = server.run(tools, Main.FIRST, "+read4", COUNT, CLIENTS);
                if (round >= 0) {
                    throughput.put(round, one.cpu() / all.cpu());
                    byClock.put(round, one.nanos() / all.nanos());
                    keep(one, alone, round);
                    keep(all, many, round);
                }
            }
        }
        out.printf("%n%d clients in one process, 4-byte reads, one core%n%n", CLIENTS);
        out.printf("| figure | value | target |%n|---|---|---|%n");
        out.printf("| total of %d clients / of one, by processor time | %s | 1.00 |%n", CLIENTS, throughput);
        out.printf("| the same by the clock | %s | 1.00 |%n", byClock);
        out.printf("| least share of a client / fair share | %s | 0.50 |%n", many.get("least"));
        for (String latency : LATENCIES) {
            out.printf("| %s of %d clients, us (of one) | %s (%s) | - |%n", latency, CLIENTS, many.get(latency).show(1, 1),
                alone.get(latency).show(1, 1));
        }
    }

    private void keep(Side.Run run, Map<String, Spread> into, int round) {
        run.client().forEach((key, value) -> into.computeIfAbsent(key, name -> new Spread(rounds)).put(round, value));
    }
}
