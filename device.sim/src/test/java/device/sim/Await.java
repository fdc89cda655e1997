// SPDX-License-Identifier: Apache-2.0
package device.sim;

import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.assertj.core.api.Assertions;

/// Waits for what another thread does.
public final class Await {
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long POLL_NANOS = 100_000;

    private Await() {
    }

    /// Waits until a condition holds, and fails when it does not in time.
    public static void until(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + LONGEST_NANOS;
        while (!condition.call()) {
            if (System.nanoTime() - end > 0) {
                Assertions.fail("still waiting: " + what);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }
}
