// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.util.Arrays;
import java.util.Locale;

/// The values of the rounds. A ratio is formed within each round, whose parts ran within seconds of each other.
final class Spread {
    private final double[] byRound;

    Spread(int rounds) {
        byRound = new double[rounds];
    }

    void put(int round, double value) {
        byRound[round] = value;
    }

    Spread over(Spread other) {
        Spread ratio = new Spread(byRound.length);
        Arrays.setAll(ratio.byRound, round -> byRound[round] / other.byRound[round]);
        return ratio;
    }

    double median() {
        double[] sorted = sorted();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private double[] sorted() {
        double[] sorted = byRound.clone();
        Arrays.sort(sorted);
        return sorted;
    }

    /// The median alone, divided.
    String show(double divisor, int digits) {
        return String.format(Locale.ROOT, "%." + digits + "f", median() / divisor);
    }

    /// The median with the least and the greatest.
    @Override
    public String toString() {
        double[] sorted = sorted();
        return String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", median(), sorted[0], sorted[sorted.length - 1]);
    }
}
