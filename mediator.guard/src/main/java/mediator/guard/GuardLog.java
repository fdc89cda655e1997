// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import vfio.pci.api.mediation.DmaWindow;

/// Tells in the log what rules saw: accesses by a thread of its own, so that none waits for a log or allocates its line. So many lines a
/// second at most, whatever a guest or a client does; the rest is counted and told.
final class GuardLog implements AutoCloseable {
    static final long LINES_A_SECOND = 100;
    private static final Logger LOG = System.getLogger(GuardLog.class.getName());
    private static final long LONGEST_NANOS = 1_000_000_000L;

    private final SeenAccesses seen = new SeenAccesses();
    private final TokenBucket lines;
    private final Thread thread;
    private volatile boolean ended;
    /// The thread's own.
    private long untold;

    /// @param name of the guard
    /// @param nanoTime a clock as [System#nanoTime()] is one
    GuardLog(String name, LongSupplier nanoTime) {
        lines = new TokenBucket(LINES_A_SECOND, LINES_A_SECOND, nanoTime);
        thread = Thread.ofPlatform().daemon().name("mediator.guard log of " + name).start(this::run);
    }

    /// Has an access told. Any thread; allocates nothing and does not wait.
    void access(RuleUse use, Direction access, long offset, int count, long value) {
        seen.add(use, access, offset, count, value);
        LockSupport.unpark(thread);
    }

    /// Tells of a DMA window.
    ///
    /// @param what of it, after a space, or nothing
    void window(RuleUse use, DmaWindow window, String what) {
        if (lines.take()) {
            LOG.log(Level.INFO, () -> "%s window iova=0x%x size=0x%x access=%s%s%s".formatted(use, window.iova(), window.size(),
                window.readable() ? "r" : "", window.writable() ? "w" : "", what));
        } else {
            seen.lose();
        }
    }

    private void run() {
        while (!ended) {
            tellAll();
            // For a bound, so that what was not told is told when there is nothing more to tell.
            LockSupport.parkNanos(this, LONGEST_NANOS);
        }
        tellAll();
    }

    private void tellAll() {
        while (seen.take(this::tell)) {
            // until there is nothing left
        }
        untold += seen.takeLost();
        if (untold > 0 && lines.take()) {
            LOG.log(Level.INFO, "{0}: {1} more that rules are to log", thread.getName(), untold);
            untold = 0;
        }
    }

    private void tell(RuleUse use, Direction access, long offset, int count, long value) {
        if (!lines.take()) {
            untold++;
        } else if (access == Direction.WRITE) {
            LOG.log(Level.INFO, () -> "%s write offset=0x%x count=%d value=0x%x".formatted(use, offset, count, value));
        } else {
            LOG.log(Level.INFO, () -> "%s read offset=0x%x count=%d".formatted(use, offset, count));
        }
    }

    /// Ends the thread, after everything was told.
    @Override
    public void close() {
        ended = true;
        LockSupport.unpark(thread);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
