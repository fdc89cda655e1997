// SPDX-License-Identifier: Apache-2.0
package bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleBinaryOperator;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Runs the benchmarks in rounds, each in a fresh process once a round, and prints how they compare. A ratio is formed within a round,
/// whose parts ran within a minute of each other; what is printed is the median of the rounds, with the least and the greatest.
///
/// `java -cp benchmarks.jar bench.Ratios [ROUNDS]`, nine rounds when nothing is said. The tables are Markdown.
public final class Ratios {
    private static final int DEFAULT_ROUNDS = 9;
    private static final List<String> ACCESSES = List.of("nothing", "direct", "unmediated", "unclaimed", "passedThrough",
        "passedThroughInRuns", "handled");
    private static final List<Group> GROUPS = List.of(
        new Group("A register file without a lock, 1 mediator", "AccessBench", Optional.of("1")),
        new Group("The same, 2 mediators in turn", "AccessBench", Optional.of("2")),
        new Group("The same, 8 mediators in turn", "AccessBench", Optional.of("8")),
        new Group("Felix, simulated XL710 virtual function, mediator.i40e", "RuntimeBench", Optional.empty()));

    /// Nanoseconds on a processor per operation, a value for each round.
    private final Map<String, double[]> nanos = new HashMap<>();
    private final int rounds;
    private final PrintStream out;

    /// What is compared with each other.
    private record Group(String title, String benchmark, Optional<String> mediators) {
        ChainedOptionsBuilder options() {
            ChainedOptionsBuilder options = new OptionsBuilder().include("bench." + benchmark + ".");
            mediators.ifPresent(number -> options.param("mediators", number));
            return options;
        }

        String key(String access) {
            return benchmark + "." + access + mediators.orElse("");
        }
    }

    private Ratios(int rounds, PrintStream out) {
        this.rounds = rounds;
        this.out = out;
    }

    /// Runs and prints.
    public static void main(String[] args) throws RunnerException, IOException {
        Ratios ratios = new Ratios(args.length > 0 ? Integer.parseInt(args[0]) : DEFAULT_ROUNDS, System.out);
        ratios.run();
        ratios.print();
    }

    private void run() throws RunnerException, IOException {
        Group gate = gate();
        for (int round = 0; round < rounds; round++) {
            for (Group group : GROUPS) {
                measure(round, group);
            }
            measure(round, gate);
            out.printf("round %d of %d done, load average %s%n", round + 1, rounds,
                Files.readString(Path.of("/proc/loadavg")).split(" ")[0]);
        }
    }

    private static Group gate() {
        return new Group("The gate", "GateBench", Optional.empty());
    }

    private void measure(int round, Group group) throws RunnerException {
        for (RunResult result : new Runner(group.options().forks(1).verbosity(VerboseMode.SILENT).build()).run()) {
            String name = result.getParams().getBenchmark();
            nanos.computeIfAbsent(group.key(name.substring(name.lastIndexOf('.') + 1)), key -> new double[rounds])[round] =
                sum(result, "cpuNanos") / sum(result, "operations");
        }
    }

    private static double sum(RunResult result, String counter) {
        return result.getSecondaryResults().get(counter).getScore();
    }

    private void print() {
        for (Group group : GROUPS) {
            double[] direct = nanos.get(group.key("direct"));
            double[] unmediated = nanos.get(group.key("unmediated"));
            out.printf("%n%s%n%n| access | ns | times direct | times unmediated |%n|---|---|---|---|%n", group.title);
            for (String access : ACCESSES) {
                double[] values = nanos.get(group.key(access));
                if (values != null) {
                    out.printf("| %s | %s | %s | %s |%n", access, spread(values), spread(combine(values, direct, (a, b) -> a / b)),
                        spread(combine(values, unmediated, (a, b) -> a / b)));
                }
            }
        }
        out.printf("%n| threads at the gate | ns it adds |%n|---|---|%n");
        for (String threads : List.of("1", "2")) {
            double[] added = combine(nanos.get(gate().key("guarded" + threads)), nanos.get(gate().key("unguarded" + threads)),
                (a, b) -> a - b);
            out.printf("| %s | %s |%n", threads, spread(added));
        }
    }

    private static double[] combine(double[] a, double[] b, DoubleBinaryOperator operator) {
        double[] combined = new double[a.length];
        Arrays.setAll(combined, i -> operator.applyAsDouble(a[i], b[i]));
        return combined;
    }

    private static String spread(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", sorted[sorted.length / 2], sorted[0], sorted[sorted.length - 1]);
    }
}
