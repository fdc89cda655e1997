// SPDX-License-Identifier: Apache-2.0
package bench.frames;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.Locale;

/// Runs both lanes in turn in one process, and prints how they compare: medians of the rounds, with the least and the greatest. A ratio is
/// formed within a round.
///
/// `java -cp benchmarks.jar bench.frames.Main [ROUNDS [alone]]`, nine rounds when nothing is said, of two seconds for each size of frame.
/// With `alone` one thread does all the work of a lane, so that neither a scheduler nor how processors share caches is in the figures.
public final class Main {
    private static final int[] LENGTHS = {64, 512, 1514};
    private static final long NANOS = 1_000_000_000;
    private static final int WARM_UP = 3;

    private Main() {
    }

    /// Runs and prints.
    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 9;
        boolean alone = args.length > 1 && args[1].equals("alone");
        PrintStream out = System.out;
        out.printf("JDK %s, %d processors, %d rounds%n%n| bytes | %s copying, Mframes/s | two functions, Mframes/s | ratio |%n",
            Runtime.version(), Runtime.getRuntime().availableProcessors(), rounds, alone ? "one thread" : "two threads");
        out.println("|---|---|---|---|");
        for (int length : LENGTHS) {
            double[][] results = measure(length, rounds, alone);
            out.printf("| %d | %s | %s | %s |%n", length, spread(results[0], 1e-6), spread(results[1], 1e-6), spread(results[2], 1));
        }
    }

    private static double[][] measure(int length, int rounds, boolean alone) {
        double[][] results = new double[3][rounds];
        try (Lane copy = new CopyLane(length, alone); Lane device = new DeviceLane(length, alone)) {
            for (int round = -WARM_UP; round < rounds; round++) {
                double bare = copy.run(NANOS);
                double through = device.run(NANOS);
                if (round >= 0) {
                    results[0][round] = bare;
                    results[1][round] = through;
                    results[2][round] = through / bare;
                }
            }
        }
        return results;
    }

    private static String spread(double[] values, double unit) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", sorted[sorted.length / 2] * unit, sorted[0] * unit,
            sorted[sorted.length - 1] * unit);
    }
}
