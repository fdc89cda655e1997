// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The bound of one wait, and the naps in it. */
final class Wait {
    private static final long NAP_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

    private final long deadline;
    private final Duration longest;

    Wait(Duration longest) {
        this.longest = longest;
        deadline = System.nanoTime() + longest.toNanos();
    }

    /** Waits a moment; fails when there is no time left. */
    void nap(String what) {
        if (System.nanoTime() - deadline >= 0) {
            throw new IavfException("not within %s: %s", longest, what);
        }
        LockSupport.parkNanos(NAP_NANOS);
    }
}
