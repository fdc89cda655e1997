// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.engine;

import java.util.concurrent.atomic.AtomicInteger;

/// How long a worker that has nothing to do keeps looking before it sleeps: 50 microseconds, and not at all when that would take the last
/// processor from whoever is to give it work. Confined to its worker.
final class Spin {
    private static final long SPIN_NANOS = 50_000;
    private static final int CLOCK_EVERY = 16;
    /// How many may spin at a time, of all engines.
    private static final AtomicInteger PERMITS = new AtomicInteger(Runtime.getRuntime().availableProcessors() - 1);

    private boolean spinning;
    private long until;
    private int turns;

    /// There was something to do.
    void worked() {
        if (spinning) {
            spinning = false;
            PERMITS.incrementAndGet();
        }
    }

    /// There was nothing to do.
    ///
    /// @return whether to look again at once
    boolean again() {
        if (!spinning) {
            if (!permit()) {
                return false;
            }
            spinning = true;
            turns = 0;
            until = System.nanoTime() + SPIN_NANOS;
        } else if (++turns % CLOCK_EVERY == 0 && System.nanoTime() - until >= 0) {
            worked();
            return false;
        }
        Thread.onSpinWait();
        return true;
    }

    private static boolean permit() {
        if (PERMITS.get() <= 0) {
            return false;
        }
        if (PERMITS.decrementAndGet() < 0) {
            PERMITS.incrementAndGet();
            return false;
        }
        return true;
    }
}
