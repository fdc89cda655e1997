// SPDX-License-Identifier: Apache-2.0
package itest;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * How long things took that the calling thread did one after the other. A machine that runs other things takes a thread its processor
 * away now and then; so this tells what a thread waited for anybody from how long it took, and one bad while from all of them.
 *
 * @param waited how long the thread was blocked, waiting or parked, over all
 * @param worst the longest of each while of {@link #WHILE}
 */
record Latencies(Duration waited, List<Duration> worst) {
    private static final Duration WHILE = Duration.ofMillis(50);

    /** One of the things to be done. */
    interface Step {
        void run() throws Exception;
    }

    Latencies {
        worst = List.copyOf(worst);
    }

    /** Does it again and again for that long. */
    static Latencies measure(Duration length, Step step) throws Exception {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        boolean watched = threads.isThreadContentionMonitoringEnabled();
        threads.setThreadContentionMonitoringEnabled(true);
        try {
            long waited = waitedMillis(threads);
            List<Duration> worst = new ArrayList<>();
            long end = System.nanoTime() + length.toNanos();
            while (System.nanoTime() - end < 0) {
                worst.add(worstOfAWhile(step));
            }
            return new Latencies(Duration.ofMillis(waitedMillis(threads) - waited), worst);
        } finally {
            threads.setThreadContentionMonitoringEnabled(watched);
        }
    }

    private static Duration worstOfAWhile(Step step) throws Exception {
        long worst = 0;
        long begun = System.nanoTime();
        long now = begun;
        while (now - begun < WHILE.toNanos()) {
            step.run();
            long after = System.nanoTime();
            worst = Math.max(worst, after - now);
            now = after;
        }
        return Duration.of(worst, TimeUnit.NANOSECONDS.toChronoUnit());
    }

    private static long waitedMillis(ThreadMXBean threads) {
        ThreadInfo self = threads.getThreadInfo(Thread.currentThread().threadId());
        return self.getWaitedTime() + self.getBlockedTime();
    }

    /** The worst of a quiet while: the lower quartile of all. */
    Duration quietWorst() {
        List<Duration> sorted = new ArrayList<>(worst);
        Collections.sort(sorted);
        return sorted.get(sorted.size() / 4);
    }
}
