// SPDX-License-Identifier: Apache-2.0
package vfio.user.traffic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LatenciesTest {
    @Test
    void isEmptyAtFirst() {
        assertThat(new Latencies().percentiles(500, 999)).containsExactly(0, 0);
        assertThat(new Latencies().max()).isZero();
    }

    @Test
    void putsEveryTimeIntoABucketThatEndsAtMostASixteenthAboveIt() {
        int before = 0;
        for (long nanos = 0; nanos < 1L << Latencies.LONGEST_LOG; nanos += 1 + nanos / 7) {
            int bucket = Latencies.bucket(nanos);
            assertThat(Latencies.highest(bucket)).isBetween(nanos, nanos + nanos / 16);
            assertThat(bucket).isGreaterThanOrEqualTo(before);
            before = bucket;
        }
        for (int bucket = 0; bucket < Latencies.bucket(Long.MAX_VALUE); bucket++) {
            assertThat(Latencies.bucket(Latencies.highest(bucket))).isEqualTo(bucket);
            assertThat(Latencies.bucket(Latencies.highest(bucket) + 1)).isEqualTo(bucket + 1);
        }
    }

    @Test
    void agreesWithASortedListToASixteenth() {
        Latencies latencies = new Latencies();
        Random random = new Random(7);
        long[] times = new long[50_000];
        for (int i = 0; i < times.length; i++) {
            times[i] = (long) Math.exp(8 + 2 * random.nextGaussian());
            latencies.add(times[i]);
        }
        Arrays.sort(times);
        long[] found = latencies.percentiles(500, 990, 999);
        int[] ranks = {25_000, 49_500, 49_950};
        for (int i = 0; i < ranks.length; i++) {
            long truth = times[ranks[i] - 1];
            assertThat(found[i]).isBetween(truth, truth + truth / 16);
        }
        assertThat(latencies.max()).isEqualTo(times[times.length - 1]);
    }

    @Test
    void neverTellsMoreThanTheLongest() {
        Latencies latencies = new Latencies();
        latencies.add(1000);
        assertThat(latencies.percentiles(500, 990, 999)).containsExactly(1000, 1000, 1000);
        latencies.add(Long.MAX_VALUE);
        latencies.add(-1);
        assertThat(latencies.percentiles(1, 999)).containsExactly(0, Long.MAX_VALUE);
    }
}
