// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.xl710.engine.Task;
import java.util.concurrent.locks.ReentrantLock;

/// When a virtual function is reset: at once everything it was doing ends (`VFGEN_RSTAT` reads 0), then the engine is waited for and queues
/// and session are cleared, then after a while the function is active again. Whoever resets waits for none of that but a host, which a
/// function level reset returns to when all is over.
///
/// The function's lock guards all but `completing`.
final class VfReset implements Task {
    /// How long `VFGEN_RSTAT` reads 0. With the driver of a real physical function it is about five times that.
    static final long DELAY_NANOS = 12_000_000;
    /// How long a driver may take to read that a reset impends.
    static final long NOTICE_NANOS = 10_000_000;

    private enum Phase {
        /// The function is in use.
        NONE,
        /// It will be reset when the driver has read so, or has had the time to.
        IMPENDING,
        /// What it was doing has not ended yet.
        ENDING,
        /// It has, and the function is out of use until the physical function says otherwise.
        HELD,
        /// It has, and the function is out of use for a while.
        WAITING
    }

    /// Who resets.
    enum Origin {
        /// The host, or the function's own config space.
        FUNCTION_LEVEL,
        /// The function's driver, by a message.
        MESSAGE,
        /// The physical function, which also says when it is over.
        PHYSICAL_FUNCTION
    }

    private final VfModel function;
    private final VfResetSteps steps;
    /// Taken before the function's lock; one thread ends what was, however many want it.
    private final ReentrantLock completing = new ReentrantLock();
    private Phase phase = Phase.NONE;
    private Origin origin = Origin.FUNCTION_LEVEL;
    private long since;
    private int begun;

    VfReset(VfModel function, VfResetSteps steps) {
        this.function = function;
        this.steps = steps;
    }

    /// Ends everything the function does. [#complete()] is to follow, by the engine or whoever waits.
    void beginLocked(Origin by) {
        origin = by;
        begun++;
        phase = Phase.ENDING;
        steps.clearLocked();
    }

    /// Resets the function soon: the driver is told before.
    void announceLocked() {
        if (phase == Phase.NONE) {
            phase = Phase.IMPENDING;
            since = System.nanoTime();
        }
    }

    /// Whether everything that was before the last reset has ended.
    boolean endedLocked() {
        return phase != Phase.ENDING;
    }

    /// Whether the function is out of use.
    boolean underWayLocked() {
        return phase != Phase.NONE && phase != Phase.IMPENDING;
    }

    /// Nanoseconds until the function is active again; 0 when nothing is timed.
    long remainingLocked() {
        return phase == Phase.WAITING ? Math.max(1, since + DELAY_NANOS - System.nanoTime()) : 0;
    }

    /// Whether the function will be reset soon.
    boolean impendingLocked() {
        return phase == Phase.IMPENDING;
    }

    /// Takes over where another function's reset was.
    ///
    /// @param impending as [#impendingLocked()] said
    /// @param remaining as [#remainingLocked()] said; a reset without a time ends at once
    void restoreLocked(boolean impending, long remaining) {
        since = System.nanoTime();
        if (remaining > 0) {
            phase = Phase.WAITING;
            since -= DELAY_NANOS - Math.min(remaining, DELAY_NANOS);
        } else {
            phase = impending ? Phase.IMPENDING : Phase.NONE;
        }
    }

    /// The physical function or somebody at the machine set `VFGEN_RSTAT`: the wait is over.
    void statusSetLocked(int status) {
        if (status != VfRegisters.RESET_IN_PROGRESS && (phase == Phase.HELD || phase == Phase.WAITING)) {
            phase = Phase.NONE;
        }
    }

    /// The physical function has nobody any more who would say that it is over.
    void releaseLocked() {
        if (phase == Phase.HELD) {
            waitLocked();
        }
        origin = Origin.MESSAGE;
    }

    /// Waits until nothing of before the reset goes on, and clears what that used. No lock is held.
    void complete() {
        completing.lock();
        try {
            while (!ended()) {
                int current = begun();
                steps.awaitAndClear();
                finish(current);
            }
        } finally {
            completing.unlock();
        }
    }

    private boolean ended() {
        synchronized (function.guard()) {
            return phase != Phase.ENDING;
        }
    }

    private int begun() {
        synchronized (function.guard()) {
            return begun;
        }
    }

    /// Unless another reset began meanwhile, whose end is waited for anew.
    private void finish(int current) {
        synchronized (function.guard()) {
            if (begun != current) {
                return;
            }
            switch (origin) {
                case FUNCTION_LEVEL -> activateLocked();
                case MESSAGE -> waitLocked();
                case PHYSICAL_FUNCTION -> {
                    phase = Phase.HELD;
                    steps.endedLocked();
                }
            }
        }
    }

    private void waitLocked() {
        if (function.attachedLocked()) {
            phase = Phase.WAITING;
            since = System.nanoTime();
            function.wake();
        } else {
            activateLocked();
        }
    }

    private void activateLocked() {
        phase = Phase.NONE;
        steps.activateLocked();
    }

    @Override
    public boolean run() {
        synchronized (function.guard()) {
            // What stands still can be ended, but not begun or brought back.
            if (function.gate().frozenLocked() && phase != Phase.ENDING) {
                return false;
            }
            long passed = System.nanoTime() - since;
            switch (phase) {
                case NONE, HELD -> {
                    return false;
                }
                case IMPENDING -> {
                    if (passed < NOTICE_NANOS && function.messagesWaitLocked()) {
                        return false;
                    }
                    beginLocked(Origin.MESSAGE);
                }
                case WAITING -> {
                    if (passed < DELAY_NANOS) {
                        return false;
                    }
                    activateLocked();
                    return true;
                }
                case ENDING -> { }
            }
        }
        complete();
        return true;
    }

    @Override
    public long sleepNanos() {
        synchronized (function.guard()) {
            if (function.gate().frozenLocked() && phase != Phase.ENDING) {
                return FOREVER;
            }
            return switch (phase) {
                case NONE, HELD -> FOREVER;
                case ENDING -> 0;
                case IMPENDING -> Math.max(0, since + NOTICE_NANOS - System.nanoTime());
                case WAITING -> Math.max(0, since + DELAY_NANOS - System.nanoTime());
            };
        }
    }
}
