// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.engine;

import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/// Looks at the doorbells in memory of those virtual functions of a card whose engines sleep, and wakes the engines that were rung for.
///
/// Between two looks it sleeps 50 microseconds after something was rung or an engine fell asleep, and longer and longer up to 1
/// millisecond when nothing happens: that is the most it adds to a doorbell's latency, apart from what the system's scheduler adds. It
/// does not run at all while no sleeping engine has such doorbells.
public final class DoorbellWatch implements AutoCloseable {
    private static final long SHORTEST_NANOS = 50_000;
    private static final long LONGEST_NANOS = 1_000_000;
    /// Looks without a ring before the sleep doubles.
    private static final int PATIENCE = 8;

    private final String name;
    private final List<VfEngine> engines = new CopyOnWriteArrayList<>();
    private final Object lock = new Object();
    private volatile Optional<Thread> thread = Optional.empty();
    private volatile boolean closed;
    /// What it sleeps now; without end while there is nothing to look at.
    private volatile long sleeping;
    private volatile boolean hurry;

    /// Without a thread until there is something to watch.
    ///
    /// @param name of the thread
    public DoorbellWatch(String name) {
        this.name = name;
    }

    void add(VfEngine engine) {
        if (!engines.contains(engine)) {
            engines.add(engine);
        }
    }

    void remove(VfEngine engine) {
        engines.remove(engine);
    }

    /// An engine sleeps from now on. Called by its thread.
    void fellAsleep() {
        VarHandle.fullFence();
        Optional<Thread> running = thread;
        if (running.isEmpty()) {
            start();
        } else if (sleeping > 2 * SHORTEST_NANOS) {
            hurry = true;
            LockSupport.unpark(running.get());
        }
    }

    private void start() {
        synchronized (lock) {
            if (thread.isEmpty() && !closed && anyWatched()) {
                Thread started = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
                thread = Optional.of(started);
                started.start();
            }
        }
    }

    private void run() {
        long nanos = SHORTEST_NANOS;
        int calm = 0;
        while (!closed) {
            if (look() || hurry) {
                hurry = false;
                nanos = SHORTEST_NANOS;
                calm = 0;
            } else if (++calm == PATIENCE) {
                nanos = Math.min(2 * nanos, LONGEST_NANOS);
                calm = 0;
            }
            sleep(nanos);
        }
    }

    private void sleep(long nanos) {
        sleeping = nanos;
        if (anyWatched()) {
            LockSupport.parkNanos(this, nanos);
        } else {
            sleeping = Long.MAX_VALUE;
            // Against the fence in fellAsleep: one of the two sees the other.
            VarHandle.fullFence();
            if (!anyWatched() && !closed) {
                LockSupport.park(this);
            }
        }
        sleeping = 0;
    }

    /// @return whether one was rung
    private boolean look() {
        boolean any = false;
        for (VfEngine engine : engines) {
            if (engine.isAsleep() && engine.rung()) {
                engine.wake();
                any = true;
            }
        }
        return any;
    }

    private boolean anyWatched() {
        for (VfEngine engine : engines) {
            if (engine.isAsleep() && engine.watched()) {
                return true;
            }
        }
        return false;
    }

    /// Ends the thread; returns at once. To be called when no engine runs any more.
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            thread.ifPresent(LockSupport::unpark);
        }
    }

    /// Waits for the thread to end after [#close()].
    ///
    /// @return whether it did within that time
    public boolean awaitEnd(Duration timeout) throws InterruptedException {
        Optional<Thread> last = thread;
        return last.isEmpty() || last.get().join(timeout);
    }
}
