// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import java.lang.System.Logger.Level;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// A thread that runs the loop until the loop ends, or it is overtaken, or it gives the loop away and keeps one source. Which of the first
/// two it is, is settled by one compare-and-set at the end of each turn.
final class Runner implements Runnable {
    private static final System.Logger LOG = System.getLogger(Runner.class.getName());
    private static final VarHandle TURN;

    /// It lost the loop and only finishes its turn.
    static final long OVERTAKEN = -1;

    static {
        try {
            TURN = MethodHandles.lookup().findVarHandle(Runner.class, "turn", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final PollLoop loop;
    private final Thread thread;
    /// What the one before was in when it was overtaken, if it was.
    private final Source left;
    /// Counts up: odd within a turn, even between turns.
    private volatile long turn;
    /// Whose turn it is; written before [#turn] becomes odd.
    private Source source;
    /// Whether it gave the loop away and kept a source for itself.
    private boolean alone;
    /// Whether the loop wants that source back.
    private volatile boolean recalled;

    Runner(PollLoop loop, String name, Source left) {
        this.loop = loop;
        this.left = left;
        thread = new LoopThread(this, name, Runner::report);
    }

    Thread thread() {
        return thread;
    }

    @Override
    public void run() {
        boolean orderly = false;
        try {
            loop.run(this, left);
            orderly = true;
        } finally {
            if (!orderly) {
                loop.broke(this);
            }
        }
    }

    /// It gives the loop away and keeps a source. On the thread itself, before another runs the loop.
    void goAlone() {
        alone = true;
    }

    boolean isAlone() {
        return alone;
    }

    /// The loop wants the source back, soon.
    void recall() {
        recalled = true;
    }

    boolean isRecalled() {
        return recalled;
    }

    void begin(Source whose) {
        source = whose;
        TURN.setVolatile(this, turn + 1);
    }

    /// Ends the turn.
    ///
    /// @return false when the loop is somebody else's by now
    boolean end() {
        long now = turn;
        return now != OVERTAKEN && TURN.compareAndSet(this, now, now + 1);
    }

    /// The number of the turn: odd within one, [#OVERTAKEN] at the last.
    long turn() {
        return turn;
    }

    static boolean within(long turn) {
        return turn > 0 && (turn & 1) == 1;
    }

    /// Takes the loop away from it, unless it went on meanwhile.
    ///
    /// @return whether the loop is the caller's now
    boolean overtake(long seen) {
        return seen != OVERTAKEN && TURN.compareAndSet(this, seen, OVERTAKEN);
    }

    /// Whose turn it is or was last; to be asked after [#overtake] or on the thread itself.
    Source source() {
        return source;
    }

    private static void report(Thread thread, Throwable cause) {
        LOG.log(Level.ERROR, "a turn failed and its connection is closed: thread=" + thread.getName(), cause);
    }
}
