// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.engine;

import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/// Looks at the doorbells in memory of those virtual functions of a card whose engines sleep, and wakes the engines that were rung for.
///
/// Between two looks it sleeps 50 microseconds after something was rung or an engine fell asleep, and longer and longer up to 1
/// millisecond when nothing happens, and up to 8 when nothing has for 2 seconds: that is the most it adds to a doorbell's latency, apart
/// from what the system's scheduler adds. It does not run at all while no sleeping engine has such doorbells.
public final class DoorbellWatch implements AutoCloseable {
    private static final long SHORTEST_NANOS = 50_000;
    private static final long LONGEST_NANOS = 1_000_000;
    /// The same when nothing happened for [#DORMANT_AFTER_NANOS]. A sleep costs 5 to 50 microseconds of a processor, more on a virtual
    /// machine, and all that is idle together is to take less than a hundredth of one.
    private static final long LONGEST_DORMANT_NANOS = 8_000_000;
    private static final long DORMANT_AFTER_NANOS = 2_000_000_000;
    /// Looks without a ring before the sleep doubles.
    private static final int PATIENCE = 8;

    /// What a look found: nothing to look at, nothing rung, something rung.
    private static final int NOTHING = 0;
    private static final int QUIET = 1;
    private static final int RUNG = 2;

    private final String name;
    private final Object lock = new Object();
    /// Replaced as a whole, under the lock.
    private volatile VfEngine[] engines = new VfEngine[0];
    private volatile Optional<Thread> thread = Optional.empty();
    private volatile boolean closed;
    /// What it sleeps now; without end while there is nothing to look at.
    private volatile long sleeping;
    /// Written by its thread alone.
    private volatile long looks;
    private volatile boolean hurry;

    /// Without a thread until there is something to watch.
    ///
    /// @param name of the thread
    public DoorbellWatch(String name) {
        this.name = name;
    }

    void add(VfEngine engine) {
        synchronized (lock) {
            List<VfEngine> all = new ArrayList<>(List.of(engines));
            all.add(engine);
            engines = all.toArray(VfEngine[]::new);
        }
    }

    void remove(VfEngine engine) {
        synchronized (lock) {
            List<VfEngine> all = new ArrayList<>(List.of(engines));
            all.removeIf(each -> each == engine);
            engines = all.toArray(VfEngine[]::new);
        }
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
        long lastRung = System.nanoTime();
        while (!closed) {
            int found = look();
            looks++;
            if (found == RUNG || hurry) {
                hurry = false;
                nanos = SHORTEST_NANOS;
                calm = 0;
                lastRung = System.nanoTime();
            } else if (++calm == PATIENCE) {
                boolean dormant = System.nanoTime() - lastRung > DORMANT_AFTER_NANOS;
                nanos = Math.min(2 * nanos, dormant ? LONGEST_DORMANT_NANOS : LONGEST_NANOS);
                calm = 0;
            }
            if (found == NOTHING) {
                rest();
            } else {
                sleeping = nanos;
                LockSupport.parkNanos(this, nanos);
                sleeping = 0;
            }
        }
    }

    /// Nanoseconds of the sleep it is in, for tests.
    long sleeping() {
        return sleeping;
    }

    /// How often it looked, for tests.
    long looks() {
        return looks;
    }

    /// Sleeps until an engine with doorbells in memory falls asleep.
    private void rest() {
        sleeping = Long.MAX_VALUE;
        // Against the fence in fellAsleep: one of the two sees the other.
        VarHandle.fullFence();
        if (!anyWatched() && !closed) {
            LockSupport.park(this);
        }
        sleeping = 0;
    }

    /// Looks at all that sleep, and wakes those that were rung for.
    private int look() {
        int found = NOTHING;
        VfEngine[] all = engines;
        for (VfEngine engine : all) {
            if (!engine.isAsleep() || !engine.watched()) {
                continue;
            }
            if (engine.rung()) {
                engine.wake();
                found = RUNG;
            } else if (found == NOTHING) {
                found = QUIET;
            }
        }
        return found;
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
