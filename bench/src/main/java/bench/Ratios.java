// SPDX-License-Identifier: Apache-2.0
package bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleBinaryOperator;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Runs the benchmarks in rounds, each in a fresh process once a round, and prints how they compare. A ratio is formed within a round,
/// whose parts ran within a minute of each other; what is printed is the median of the rounds with the least and the greatest.
///
/// `java -cp benchmarks.jar bench.Ratios [ROUNDS]`, nine rounds when nothing is said.
public final class Ratios {
    private static final int DEFAULT_ROUNDS = 9;
    private static final List<String> MEDIATORS = List.of("1", "2", "8");
    private static final List<String> ACCESSES = List.of("unmediated", "unclaimed", "passedThrough", "handled");

    /// Nanoseconds on a processor per operation, a value for each round, by benchmark and parameter.
    private final Map<String, double[]> nanos = new TreeMap<>();
    private final int rounds;
    private final PrintStream out;

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
        for (int round = 0; round < rounds; round++) {
            for (String mediators : MEDIATORS) {
                measure(round, new OptionsBuilder().include("AccessBench").param("mediators", mediators), "/" + mediators);
            }
            measure(round, new OptionsBuilder().include("GateBench"), "");
            out.printf("round %d of %d done, load average %s%n", round + 1, rounds, load());
        }
    }

    private void measure(int round, ChainedOptionsBuilder options, String suffix) throws RunnerException {
        for (RunResult result : new Runner(options.forks(1).verbosity(VerboseMode.SILENT).build()).run()) {
            String name = result.getParams().getBenchmark();
            double[] values = nanos.computeIfAbsent(name.substring(name.lastIndexOf('.') + 1) + suffix, key -> new double[rounds]);
            Map<String, Result> counts = result.getSecondaryResults();
            values[round] = counts.get("cpuNanos").getScore() / counts.get("operations").getScore();
        }
    }

    private void print() {
        out.printf("%nns per access on the processor, and times `direct`: median (least to greatest) of %d rounds%n", rounds);
        out.printf("%-16s %-9s %-24s %s%n", "access", "mediators", "ns", "times direct");
        for (String mediators : MEDIATORS) {
            row("nothing", mediators, nanos.get("nothing/" + mediators), null);
            double[] direct = nanos.get("direct/" + mediators);
            row("direct", mediators, direct, null);
            for (String access : ACCESSES) {
                double[] values = nanos.get(access + "/" + mediators);
                row(access, mediators, values, combine(values, direct, (a, b) -> a / b));
            }
        }
        out.printf("%nns the gate adds%n");
        for (String threads : List.of("1", "2")) {
            double[] added = combine(nanos.get("guarded" + threads), nanos.get("unguarded" + threads), (a, b) -> a - b);
            out.printf(Locale.ROOT, "%-16s %s%n", threads + " thread(s)", spread(added));
        }
    }

    private void row(String access, String mediators, double[] values, double[] ratio) {
        out.printf("%-16s %-9s %-24s %s%n", access, mediators, spread(values), ratio == null ? "" : spread(ratio));
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

    private static String load() throws IOException {
        return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
    }
}
