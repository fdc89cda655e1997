// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// Client and server on one processor, where a message costs what both do for it. That is taken as processor time, for other work on the
/// machine does not count there.
final class OneCore {
    private static final double JAVA_ECHO_AT_MOST = 1.10;

    private enum Kind {
        READ4("read of 4 bytes", 20_000, "1.10"),
        WRITE4("write of 4 bytes", 20_000, "1.10"),
        POSTED("posted write of 4 bytes", 500, "1.10"),
        READ4K("read of 4 KiB", 20_000, "1.15"),
        READ64K("read of 64 KiB", 4_000, "1.15"),
        READ1M("read of 1 MiB", 300, "1.15");

        private final String shown;
        private final int count;
        private final String target;

        Kind(String shown, int count, String target) {
            this.shown = shown;
            this.count = count;
            this.target = target;
        }

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Tools tools;
    private final int rounds;
    private final PrintStream out;
    /// By side and kind.
    private final Map<String, Spread> cpu = new TreeMap<>();

    OneCore(Tools tools, int rounds, PrintStream out) {
        this.tools = tools;
        this.rounds = rounds;
        this.out = out;
    }

    /// @param other a command that starts another server, or null
    void run(String other) throws IOException {
        List<Side> sides = new ArrayList<>();
        try {
            if (tools.hasC()) {
                sides.add(Side.cEcho(tools, Main.FIRST));
            }
            sides.add(Side.javaEcho(tools, Main.FIRST));
            sides.add(Side.server(tools, "server", Main.FIRST, 1, List.of()));
            if (other != null) {
                sides.add(Side.other(tools, other, Main.FIRST));
            }
            // Until the compilers are done.
            for (int round = -2; round < rounds; round++) {
                for (Kind kind : Kind.values()) {
                    for (Side side : sides) {
                        double nanos = side.run(tools, Main.FIRST, kind.word(), kind.count, 1).cpu();
                        if (round >= 0) {
                            cpu.computeIfAbsent(side.name() + kind, key -> new Spread(rounds)).put(round, nanos);
                        }
                    }
                }
            }
        } finally {
            sides.forEach(Side::close);
        }
        print(other != null);
    }

    private void print(boolean other) {
        out.printf("%nOne core, microseconds of both ends per message, ratios as median (least to greatest)%n%n");
        String limit = tools.hasC() ? "C echo" : "Java echo";
        out.printf("| message | %s | Java echo / %s | server / %s | target |%s%n", limit, limit, limit, other ? " server / other |" : "");
        out.printf("|---|---|---|---|---|%s%n", other ? "---|" : "");
        for (Kind kind : Kind.values()) {
            Spread echo = cpu.get(limit + kind);
            Spread javaEcho = cpu.get("Java echo" + kind).over(echo);
            Spread server = cpu.get("server" + kind);
            String note = javaEcho.median() > JAVA_ECHO_AT_MOST ? " void: Java echo" : "";
            out.printf("| %s | %s | %s | %s | %s%s |", kind.shown, echo.show(1000, 2), javaEcho, server.over(echo), kind.target, note);
            out.printf("%s%n", other ? " " + server.over(cpu.get("other" + kind)) + " |" : "");
        }
    }
}
