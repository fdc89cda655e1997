// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Looks at the loop's threads every millisecond or so while they have something to do, sleeps otherwise, and has one overtaken when it is
/// in one turn for too long. They pay one volatile read a turn.
final class Watchdog implements Runnable {
    private static final long PERIOD = TimeUnit.MICROSECONDS.toNanos(1250);
    private static final long LONGEST_TURN = TimeUnit.MICROSECONDS.toNanos(2500);
    /// So many looks without a turn, and it sleeps.
    private static final int LOOKS_BEFORE_SLEEP = 50;

    private final PollLoop loop;
    private final Threads threads;
    private final LoneSource lone;
    private final Thread thread;
    private volatile boolean asleep;
    private volatile boolean ended;
    private final Watched running = new Watched();
    private final Watched alone = new Watched();

    Watchdog(PollLoop loop, Threads threads, LoneSource lone, String name) {
        this.loop = loop;
        this.threads = threads;
        this.lone = lone;
        thread = Thread.ofPlatform().name(name).daemon().unstarted(this);
    }

    Thread thread() {
        return thread;
    }

    /// A turn begins. To be called after [Runner#begin]: either this sees that the watchdog sleeps, or the watchdog sees the turn.
    void turnBegins() {
        if (asleep) {
            asleep = false;
            LockSupport.unpark(thread);
        }
    }

    void end() {
        ended = true;
        LockSupport.unpark(thread);
    }

    @Override
    public void run() {
        int looksWithoutTurn = 0;
        while (!ended) {
            looksWithoutTurn = look() ? 0 : looksWithoutTurn + 1;
            if (looksWithoutTurn < LOOKS_BEFORE_SLEEP) {
                LockSupport.parkNanos(this, PERIOD);
            } else {
                asleep = true;
                if (!look() && !ended) {
                    LockSupport.park(this);
                }
                asleep = false;
                looksWithoutTurn = 0;
            }
        }
    }

    /// Looks at who runs the loop, and at who has a source for itself.
    ///
    /// @return whether a turn was taken since, or is being taken
    private boolean look() {
        boolean busy = running.look(threads.runner());
        if (running.isLong()) {
            loop.overtake(running.runner, running.turn);
        }
        busy |= alone.look(lone.keeper());
        if (alone.isLong()) {
            loop.overtakeAlone(alone.runner, alone.turn);
        }
        return busy;
    }

    /// A thread that takes turns, as it was at the last look.
    private static final class Watched {
        private Runner runner;
        private long turn;
        private long since;

        /// Compares with the look before.
        ///
        /// @param now null when there is no such thread
        /// @return whether a turn was taken since, or is being taken
        boolean look(Runner now) {
            long nowTurn = now == null ? 0 : now.turn();
            if (now != runner || nowTurn != turn) {
                runner = now;
                turn = nowTurn;
                since = System.nanoTime();
                return true;
            }
            return Runner.within(nowTurn);
        }

        boolean isLong() {
            return Runner.within(turn) && System.nanoTime() - since >= LONGEST_TURN;
        }
    }
}
