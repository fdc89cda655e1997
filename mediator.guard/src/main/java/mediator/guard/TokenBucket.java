// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/// Lets so many accesses a second pass, and so many at once after a pause. Kept as the time at which the bucket will be full again, so that
/// one word is all there is to change.
final class TokenBucket {
    private final LongSupplier nanoTime;
    private final long nanosEach;
    private final long nanosSaved;
    private final AtomicLong full;

    /// @param rate tokens a second, 1 to 1,000,000,000
    /// @param burst tokens it holds, 1 to 1,000,000,000
    /// @param nanoTime a clock as [System#nanoTime()] is one
    TokenBucket(long rate, long burst, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.nanosEach = TimeUnit.SECONDS.toNanos(1) / rate;
        this.nanosSaved = nanosEach * (burst - 1);
        this.full = new AtomicLong(nanoTime.getAsLong());
    }

    /// Takes a token, if there is one. Any thread.
    boolean take() {
        while (true) {
            long then = full.get();
            long now = nanoTime.getAsLong();
            long missing = Math.max(then - now, 0);
            if (missing > nanosSaved) {
                return false;
            }
            if (full.compareAndSet(then, now + missing + nanosEach)) {
                return true;
            }
        }
    }
}
