// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.time.Duration;

/// Turns durations into what poll takes.
final class Deadline {
    /// Far enough to be never, near enough that a sum with the clock does not overflow.
    private static final long NEVER = Long.MAX_VALUE / 4;

    private Deadline() {
    }

    static long nanos(Duration timeout) {
        return timeout.compareTo(Duration.ofNanos(NEVER)) > 0 ? NEVER : Math.max(0, timeout.toNanos());
    }

    /// Rounded up, so that a wait never ends just before its time.
    static int millisUntil(long deadline) {
        long left = Math.max(0, deadline - System.nanoTime());
        return (int) Math.min(Integer.MAX_VALUE, (left + 999_999) / 1_000_000);
    }
}
