// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import vfio.pci.api.VfioException;

/// The poll set and the thread that serves it. Tasks and turns run on that thread, one at a time; what a turn that lasts too long keeps
/// is its own source and nothing else.
///
/// A source that alone is busy gets the thread it is on to itself, to wait in its own descriptor, which saves a system call for each turn;
/// another thread runs the loop then. The first turn of any other source ends that, and so does a source that waits in vain for long.
public final class PollLoop {
    private static final System.Logger LOG = System.getLogger(PollLoop.class.getName());

    private final PollSet polled;
    private final Threads threads;
    private final Watchdog watchdog;
    private final Tasks tasks = new Tasks();
    private volatile boolean ending;
    private volatile long tryNanos;

    // Of the thread that runs the loop, handed on with it.
    private final SourceTable table = new SourceTable();
    private final Queue<Source> resumed = new ArrayDeque<>();
    private final Timers timers = new Timers();
    private final LoneSource lone = new LoneSource(this);

    private PollLoop(String name, PollSet polled) {
        this.polled = polled;
        threads = new Threads(this, name);
        watchdog = new Watchdog(this, threads, lone, name + "-watchdog");
    }

    /// A loop that runs.
    ///
    /// @param name of its threads
    /// @throws VfioException EMFILE when the process has no descriptor left
    public static PollLoop start(String name) throws VfioException {
        PollLoop loop = new PollLoop(name, PollSet.create());
        loop.threads.runNext(null);
        loop.watchdog.thread().start();
        return loop;
    }

    /// Says how long a source that has a thread to itself may try before it waits, from now on. Any thread.
    public void setTry(Duration longest) {
        tryNanos = longest.toNanos();
    }

    /// How long that is, in nanoseconds; 0 when nothing was said.
    public long tryNanos() {
        return tryNanos;
    }

    /// Has a task run on the loop's thread, in order. It must not wait for anything. May be called by any thread.
    ///
    /// @return false when the loop has ended: the task will not run
    public boolean execute(Runnable task) {
        if (!tasks.add(task)) {
            return false;
        }
        polled.wake();
        return true;
    }

    /// Has a task run later. From a task only.
    ///
    /// @return what [#cancel] takes
    public Timer schedule(Duration delay, Runnable task) {
        return timers.add(delay, task);
    }

    /// Forgets a task that was to run later, and what it holds; without effect when it has run, or for null. From a task only.
    public void cancel(Timer timer) {
        timers.remove(timer);
    }

    /// Takes a source in. From a task only.
    ///
    /// @param interest bits of [linux.sys.Epoll], or [Source#PARKED]
    public void add(Source source, int interest) {
        // It may have been in here before, and been taken out while a thread was in its turn.
        source.closeWhenBack = false;
        source.resumeWhenBack = false;
        table.add(source);
        arm(source, interest);
    }

    /// Gives a source a turn with [Source#RESUMED], soon, or after the one it is in. From a task only; without effect after its end.
    public void resume(Source source) {
        if (source.away) {
            source.resumeWhenBack = true;
            lone.recall();
        } else {
            resumed.add(source);
        }
    }

    /// Takes a source out, or has that done after the turn it is in. From a task only; a second call has no effect.
    public void remove(Source source) {
        if (source.away) {
            source.closeWhenBack = true;
            lone.recall();
        } else if (table.get(source.key) == source) {
            arm(source, Source.PARKED);
            table.remove(source);
            source.closed();
        }
    }

    /// Ends the loop: takes all sources out, waits for the threads, interrupts those that do not come. Whoever is in a turn still takes
    /// its source out when it returns.
    ///
    /// @param bound longest wait in all
    /// @return whether all threads have ended
    public boolean end(Duration bound) {
        long deadline = System.nanoTime() + bound.toNanos();
        ending = true;
        polled.wake();
        boolean gone = threads.joinRunner(deadline);
        watchdog.end();
        if (gone) {
            takeOutAll();
            polled.close();
        }
        gone &= Threads.joined(watchdog.thread(), deadline);
        return gone & threads.joinLeaving(deadline);
    }

    /// Whether the calling thread runs a loop, or did when its turn began: a client may be waiting for it.
    public static boolean isLoopThread() {
        return Thread.currentThread() instanceof LoopThread;
    }

    boolean isEnding() {
        return ending;
    }

    /// A thread of the loop begins.
    ///
    /// @param left the source the one before is still in, or null
    void run(Runner self, Source left) {
        if (left != null) {
            arm(left, Source.PARKED);
            left.overtaken();
        }
        while (!ending) {
            tasks.run();
            timers.run();
            if (!takeResumed(self)) {
                return;
            }
            int reports = polled.await(resumed.isEmpty() ? timers.untilNext() : 0);
            for (int i = 0; i < reports; i++) {
                if (!report(self, polled.key(i), polled.events(i))) {
                    return;
                }
            }
            if (reports == 1) {
                Source source = table.get(polled.key(0));
                if (lone.isBusy(source)) {
                    keep(self, source);
                    return;
                }
            }
        }
    }

    /// Gives the loop to another thread and keeps the source, until that waits in vain or the loop wants it back.
    private void keep(Runner self, Source source) {
        arm(source, Source.PARKED);
        source.away = true;
        threads.leaves(self.thread());
        lone.keep(self);
        threads.runNext(null);
        giveBack(self, source, lone.serve(self, source, watchdog));
    }

    private boolean report(Runner self, long key, int events) {
        if (polled.isAwoken(key)) {
            return true;
        }
        Source source = table.get(key);
        return source == null || takeTurn(self, source, events);
    }

    private boolean takeResumed(Runner self) {
        Source source;
        while ((source = resumed.poll()) != null) {
            if (source.away) {
                // It was resumed more than once, and overtaken in the turn it was given first.
                source.resumeWhenBack = true;
            } else if (table.get(source.key) == source && !takeTurn(self, source, Source.RESUMED)) {
                return false;
            }
        }
        return true;
    }

    /// @return false when the caller was overtaken meanwhile and must end
    private boolean takeTurn(Runner self, Source source, int events) {
        lone.recall();
        self.begin(source);
        watchdog.turnBegins();
        int next = source.turn(events);
        if (self.end()) {
            settle(source, next);
            return true;
        }
        giveBack(self, source, next);
        return false;
    }

    private void settle(Source source, int next) {
        if (next == Source.CLOSED) {
            remove(source);
        } else {
            arm(source, next);
        }
    }

    private void giveBack(Runner self, Source source, int next) {
        boolean back = execute(() -> {
            lone.back(self);
            if (self.turn() == Runner.OVERTAKEN) {
                source.returned();
            }
            source.away = false;
            settle(source, source.closeWhenBack ? Source.CLOSED : next);
            if (source.resumeWhenBack) {
                source.resumeWhenBack = false;
                resume(source);
            }
        });
        if (!back) {
            source.closed();
        }
    }

    private void arm(Source source, int interest) {
        try {
            polled.set(source, interest);
        } catch (VfioException e) {
            LOG.log(Level.WARNING, "a descriptor cannot be waited for: {0}", e.getMessage());
            execute(() -> remove(source));
        }
    }

    /// Takes all sources out and runs what is left to do. Nobody runs the loop any more.
    private void takeOutAll() {
        tasks.run();
        timers.run();
        table.all().forEach(this::remove);
        tasks.end();
    }

    /// Takes the loop from the thread that is in this turn, unless it ends it right now.
    void overtake(Runner before, long turn) {
        threads.leaves(before.thread());
        if (!before.overtake(turn)) {
            threads.stays(before.thread());
            return;
        }
        Source source = before.source();
        source.away = true;
        LOG.log(Level.DEBUG, "a turn takes long, the other connections go on: thread={0}", before.thread().getName());
        threads.runNext(source);
    }

    /// As [#overtake], for the thread that keeps a source to itself: the loop has another already.
    void overtakeAlone(Runner keeper, long turn) {
        execute(() -> {
            if (keeper.overtake(turn)) {
                keeper.source().overtaken();
            }
        });
    }

    /// A thread of the loop ends by an error, which is a defect; its connection goes, the others stay.
    void broke(Runner self) {
        threads.leaves(self.thread());
        Source source = self.source();
        boolean within = Runner.within(self.turn()) || self.turn() == Runner.OVERTAKEN || self.isAlone();
        if (self.overtake(self.turn()) && !self.isAlone() && !ending) {
            if (within) {
                source.away = true;
            }
            threads.runNext(within ? source : null);
        }
        if (within) {
            giveBack(self, source, Source.CLOSED);
        }
    }
}
