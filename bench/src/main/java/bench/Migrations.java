// SPDX-License-Identifier: Apache-2.0
package bench;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.Locale;
import vfio.pci.api.VfioException;

/// Measures reports of dirty pages beside plain passes over their bits, and a function's state on its way; prints medians with the least
/// and the greatest. A ratio is formed within a round.
///
/// `java -cp benchmarks.jar bench.Migrations [ROUNDS]`, 501 rounds when nothing is said.
public final class Migrations {
    private static final int WARM_UP = 300;
    private static final int PERCENT = DirtyReport.PAGES / 100;

    private Migrations() {
    }

    /// Runs and prints.
    public static void main(String[] args) throws VfioException {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 501;
        PrintStream out = System.out;
        out.printf("JDK %s, %d processors, %d rounds%n", Runtime.version(), Runtime.getRuntime().availableProcessors(), rounds);
        out.printf("%n| 64 GiB, 1 %% dirty | us | times a pass that reads | times one that reads, adds to the answer and clears |%n");
        out.println("|---|---|---|---|");
        reports(out, "at once", DirtyReport.SPACE, rounds);
        reports(out, "in parts of 64 KiB of bits", DirtyReport.PART, rounds);
        out.printf("%n| a virtual function's state | |%n|---|---|%n");
        StateMove.Result state = StateMove.measure(rounds);
        out.printf("| bytes | %d |%n| save, us | %s |%n| load, us | %s |%n", state.bytes(), spread(state.save(), 1e-3),
            spread(state.load(), 1e-3));
    }

    private static void reports(PrintStream out, String how, long part, int rounds) {
        double[][] results = new double[3][rounds];
        try (DirtyReport bench = new DirtyReport()) {
            for (int round = -WARM_UP; round < rounds; round++) {
                bench.write(PERCENT);
                double read = bench.read();
                double report = bench.report(part);
                bench.clear();
                double take = bench.take();
                if (round >= 0) {
                    results[0][round] = report;
                    results[1][round] = report / read;
                    results[2][round] = report / take;
                }
            }
        }
        out.printf("| report %s | %s | %s | %s |%n", how, spread(results[0], 1e-3), spread(results[1], 1), spread(results[2], 1));
    }

    private static String spread(double[] values, double unit) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", sorted[sorted.length / 2] * unit, sorted[0] * unit,
            sorted[sorted.length - 1] * unit);
    }
}
