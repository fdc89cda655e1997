// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Looks at the loop every millisecond or so while it has something to do, sleeps otherwise, and has it overtaken when it is in one turn
/// for too long. The loop pays one volatile read a turn.
final class Watchdog implements Runnable {
    private static final long PERIOD = TimeUnit.MICROSECONDS.toNanos(1250);
    private static final long LONGEST_TURN = TimeUnit.MICROSECONDS.toNanos(2500);
    /// So many looks without a turn, and it sleeps.
    private static final int LOOKS_BEFORE_SLEEP = 50;

    private final PollLoop loop;
    private final Thread thread;
    private volatile boolean asleep;
    private volatile boolean ended;
    private Runner runner;
    private long turn;
    private long since;

    Watchdog(PollLoop loop, String name) {
        this.loop = loop;
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

    /// Compares with the look before.
    ///
    /// @return whether a turn was taken since, or is being taken
    private boolean look() {
        Runner now = loop.runner();
        long nowTurn = now.turn();
        if (now != runner || nowTurn != turn) {
            runner = now;
            turn = nowTurn;
            since = System.nanoTime();
            return true;
        }
        if (!Runner.within(nowTurn)) {
            return false;
        }
        if (System.nanoTime() - since >= LONGEST_TURN) {
            loop.overtake(now, nowTurn);
        }
        return true;
    }
}
