// SPDX-License-Identifier: Apache-2.0
package itest;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Waits for a condition with a deadline. */
public final class Await {
    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private Await() {
    }

    /** Returns when the condition holds; fails when it does not within half a minute. */
    public static void until(String what, Callable<Boolean> condition) throws Exception {
        until(what, LONGEST, condition);
    }

    /** Returns when the condition holds; fails when it does not within that time. */
    public static void until(String what, Duration longest, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + longest.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() - deadline >= 0) {
                throw new AssertionError("not within " + longest + ": " + what);
            }
            LockSupport.parkNanos(NAP_NANOS);
        }
    }
}
