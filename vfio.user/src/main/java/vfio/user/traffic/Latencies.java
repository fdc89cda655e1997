// SPDX-License-Identifier: Apache-2.0
package vfio.user.traffic;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// How often something took how long: a histogram of fixed size, 16 steps to each doubling, so that a step is at most 1/16 of its value.
/// One thread at a time adds, any reads; a reader may miss what is being added.
final class Latencies {
    /// Longest time told apart, 2^36 ns, about a minute.
    static final int LONGEST_LOG = 36;

    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int STEP_LOG = 4;
    private static final int STEPS = 1 << STEP_LOG;
    private static final int BUCKETS = STEPS * (LONGEST_LOG - STEP_LOG + 1);
    private static final int MAX = BUCKETS;

    /// The buckets, and the longest of all behind them.
    private final long[] cells = new long[BUCKETS + 1];

    /// One took that many nanoseconds. Hot.
    void add(long nanos) {
        int bucket = bucket(nanos);
        CELL.setOpaque(cells, bucket, cells[bucket] + 1);
        if (nanos > cells[MAX]) {
            CELL.setOpaque(cells, MAX, nanos);
        }
    }

    /// Below 16 a bucket is one value; above, the four bits behind the highest one choose it.
    static int bucket(long nanos) {
        if (nanos < STEPS) {
            return (int) Math.max(0, nanos);
        }
        int log = Long.SIZE - 1 - Long.numberOfLeadingZeros(nanos);
        if (log >= LONGEST_LOG) {
            return BUCKETS - 1;
        }
        return (log - STEP_LOG << STEP_LOG) + (int) (nanos >>> log - STEP_LOG);
    }

    /// The highest value that goes into a bucket.
    static long highest(int bucket) {
        if (bucket < STEPS) {
            return bucket;
        }
        int shift = (bucket >>> STEP_LOG) - 1;
        return ((long) (bucket & STEPS - 1 | STEPS) + 1 << shift) - 1;
    }

    /// The longest.
    long max() {
        return (long) CELL.getOpaque(cells, MAX);
    }

    /// The time that so many of them, in parts of a thousand, did not exceed; 0 when there are none.
    long[] percentiles(int... perMille) {
        long[] counts = new long[BUCKETS];
        long all = 0;
        for (int i = 0; i < BUCKETS; i++) {
            counts[i] = (long) CELL.getOpaque(cells, i);
            all += counts[i];
        }
        long[] answer = new long[perMille.length];
        for (int i = 0; i < perMille.length && all > 0; i++) {
            long rank = Math.max(1, Math.ceilDiv(all * perMille[i], 1000));
            int bucket = 0;
            for (long seen = counts[0]; seen < rank; seen += counts[bucket]) {
                bucket++;
            }
            answer[i] = bucket == BUCKETS - 1 ? max() : Math.min(highest(bucket), max());
        }
        return answer;
    }
}
