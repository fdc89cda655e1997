// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import linux.sys.Epoll;
import linux.sys.EventFd;
import linux.sys.Ready;
import vfio.pci.api.VfioException;

/// The poll set and the thread that serves it. Tasks and turns run on that thread, one at a time; what a turn that lasts too long keeps
/// is its own source and nothing else.
///
/// A source that alone is busy gets the thread it is on to itself, to wait in its own descriptor, which saves a system call for each turn;
/// another thread runs the loop then. The first turn of any other source ends that, and so does a source that waits in vain for long.
public final class PollLoop {
    private static final System.Logger LOG = System.getLogger(PollLoop.class.getName());
    private static final int REPORTS_AT_ONCE = 64;
    private static final long WAKE_KEY = Long.MAX_VALUE;
    /// So many turns of one source in a row, and it gets a thread to itself: the other thread costs about ten of them.
    private static final int TURNS_IN_A_ROW = 128;

    private final String name;
    private final Epoll epoll;
    private final EventFd wake;
    private final Watchdog watchdog;

    // Shared; the lock is `lock`.
    private final Object lock = new Object();
    private List<Runnable> tasks = new ArrayList<>();
    private boolean ended;
    /// Whether there are tasks; asked without the lock, before each wait.
    private volatile boolean tasksWait;
    /// Threads that lost the loop, until somebody notices that they have ended.
    private final Collection<Thread> overtaken = ConcurrentHashMap.newKeySet();
    private volatile Runner runner;
    /// The thread that keeps a source to itself, or null. Written by the thread that runs the loop.
    private volatile Runner alone;
    private volatile boolean ending;
    private volatile long tryNanos;

    // Of the thread that runs the loop, handed on with it.
    private final Ready ready = new Ready(REPORTS_AT_ONCE);
    private final SourceTable table = new SourceTable();
    private final Queue<Source> resumed = new ArrayDeque<>();
    private final PriorityQueue<Timer> timers = new PriorityQueue<>((a, b) -> Long.signum(a.nanos - b.nanos));
    private Source latest;
    private int turnsInARow;
    private int threads;

    /// A task that is to run later.
    public static final class Timer {
        private final long nanos;
        private final Runnable task;

        private Timer(long nanos, Runnable task) {
            this.nanos = nanos;
            this.task = task;
        }
    }

    private PollLoop(String name, Epoll epoll, EventFd wake) {
        this.name = name;
        this.epoll = epoll;
        this.wake = wake;
        watchdog = new Watchdog(this, name + "-watchdog");
    }

    /// A loop that runs.
    ///
    /// @param name of its threads
    /// @throws VfioException EMFILE when the process has no descriptor left
    public static PollLoop start(String name) throws VfioException {
        Epoll epoll = Epoll.create();
        EventFd wake = null;
        PollLoop loop;
        try {
            wake = EventFd.create();
            epoll.add(wake.fd(), Epoll.IN, WAKE_KEY);
            loop = new PollLoop(name, epoll, wake);
        } catch (VfioException e) {
            epoll.close();
            if (wake != null) {
                wake.close();
            }
            throw e;
        }
        loop.runNext(null);
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
        synchronized (lock) {
            if (ended) {
                return false;
            }
            tasks.add(task);
            tasksWait = true;
        }
        wake.signal();
        return true;
    }

    /// Has a task run later. From a task only.
    ///
    /// @return what [#cancel] takes
    public Timer schedule(Duration delay, Runnable task) {
        Timer timer = new Timer(System.nanoTime() + delay.toNanos(), task);
        timers.add(timer);
        return timer;
    }

    /// Forgets a task that was to run later, and what it holds; without effect when it has run, or for null. From a task only.
    public void cancel(Timer timer) {
        timers.remove(timer);
    }

    /// Takes a source in. From a task only.
    ///
    /// @param interest bits of [Epoll], or [Source#PARKED]
    public void add(Source source, int interest) {
        table.add(source);
        arm(source, interest);
    }

    /// Gives a source a turn with [Source#RESUMED], soon, or after the one it is in. From a task only; without effect after its end.
    public void resume(Source source) {
        if (source.away) {
            source.resumeWhenBack = true;
            recall();
        } else {
            resumed.add(source);
        }
    }

    /// Takes a source out, or has that done after the turn it is in. From a task only; a second call has no effect.
    public void remove(Source source) {
        if (source.away) {
            source.closeWhenBack = true;
            recall();
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
        wake.signal();
        boolean gone = join(deadline);
        watchdog.end();
        if (gone) {
            takeOutAll();
            epoll.close();
            wake.close();
        }
        gone &= joined(watchdog.thread(), deadline);
        for (Thread thread : overtaken) {
            if (!joined(thread, deadline)) {
                LOG.log(Level.WARNING, "a thread does not leave a device and is interrupted: thread={0}", thread.getName());
                thread.interrupt();
                gone = false;
            }
        }
        return gone;
    }

    /// Waits for whoever runs the loop; that may change meanwhile.
    private boolean join(long deadline) {
        Runner last;
        do {
            last = runner;
            while (!joined(last.thread(), Math.min(deadline, System.nanoTime() + Duration.ofMillis(5).toNanos()))) {
                if (System.nanoTime() - deadline >= 0) {
                    return false;
                }
                if (last != runner) {
                    break;
                }
            }
        } while (last != runner);
        return true;
    }

    private static boolean joined(Thread thread, long deadline) {
        boolean interrupted = false;
        while (thread.isAlive() && deadline - System.nanoTime() > 0) {
            try {
                thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
            } catch (InterruptedException e) {
                // The bound is short, and leaving early would leave threads behind.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return !thread.isAlive();
    }

    /// Whether the calling thread runs a loop, or did when its turn began: a client may be waiting for it.
    public static boolean isLoopThread() {
        return Thread.currentThread() instanceof LoopThread;
    }

    Runner runner() {
        return runner;
    }

    Runner alone() {
        return alone;
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
            runTasks();
            if (!takeResumed(self)) {
                return;
            }
            int reports = epoll.await(ready, timeout());
            if (reports < 0) {
                throw new IllegalStateException("call=epoll_wait errno=" + -reports);
            }
            for (int i = 0; i < reports; i++) {
                if (!report(self, ready.data(i), ready.events(i))) {
                    return;
                }
            }
            if (reports == 1 && isAloneBusy(table.get(ready.data(0)))) {
                goAlone(self, latest);
                return;
            }
        }
    }

    private boolean isAloneBusy(Source source) {
        if (source == null || source != latest) {
            latest = source;
            turnsInARow = 0;
            return false;
        }
        turnsInARow++;
        return turnsInARow >= TURNS_IN_A_ROW && alone == null && source.interest == Epoll.IN && source.canAwait();
    }

    /// Gives the loop to another thread and keeps the source, until that waits in vain or the loop wants it back.
    private void goAlone(Runner self, Source source) {
        latest = null;
        arm(source, Source.PARKED);
        source.away = true;
        overtaken.removeIf(thread -> !thread.isAlive());
        overtaken.add(self.thread());
        self.goAlone();
        alone = self;
        runNext(null);
        int next = Epoll.IN;
        while (next > 0 && !ending && !self.isRecalled() && source.await(next)) {
            self.begin(source);
            watchdog.turnBegins();
            next = source.turn(Source.RESUMED);
            if (!self.end()) {
                break;
            }
        }
        giveBack(self, source, next);
    }

    private void recall() {
        Runner now = alone;
        if (now != null) {
            now.recall();
        }
    }

    private boolean report(Runner self, long key, int events) {
        if (key == WAKE_KEY) {
            wake.read();
            return true;
        }
        Source source = table.get(key);
        return source == null || takeTurn(self, source, events);
    }

    private boolean takeResumed(Runner self) {
        Source source;
        while ((source = resumed.poll()) != null) {
            if (table.get(source.key) == source && !takeTurn(self, source, Source.RESUMED)) {
                return false;
            }
        }
        return true;
    }

    /// @return false when the caller was overtaken meanwhile and must end
    private boolean takeTurn(Runner self, Source source, int events) {
        recall();
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
            if (alone == self) {
                alone = null;
            }
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
        if (interest == source.interest) {
            return;
        }
        try {
            if (source.interest == Source.PARKED) {
                epoll.add(source.fd(), interest, source.key);
            } else if (interest == Source.PARKED) {
                epoll.remove(source.fd());
            } else {
                epoll.modify(source.fd(), interest, source.key);
            }
            source.interest = interest;
        } catch (VfioException e) {
            LOG.log(Level.WARNING, "a descriptor cannot be waited for: {0}", e.getMessage());
            source.interest = Source.PARKED;
            execute(() -> remove(source));
        }
    }

    private void runTasks() {
        if (tasksWait) {
            takeTasks(false).forEach(Runnable::run);
        }
        while (!timers.isEmpty() && timers.peek().nanos - System.nanoTime() <= 0) {
            timers.poll().task.run();
        }
    }

    /// Runs what is left, and says that nothing more will be. Nobody runs the loop any more.
    private void takeOutAll() {
        runTasks();
        table.all().forEach(this::remove);
        List<Runnable> last;
        while (!(last = takeTasks(true)).isEmpty()) {
            last.forEach(Runnable::run);
        }
    }

    private List<Runnable> takeTasks(boolean endIfNone) {
        synchronized (lock) {
            if (tasks.isEmpty()) {
                ended |= endIfNone;
                return List.of();
            }
            tasksWait = false;
            List<Runnable> taken = tasks;
            tasks = new ArrayList<>();
            return taken;
        }
    }

    private int timeout() {
        if (!resumed.isEmpty()) {
            return 0;
        }
        if (timers.isEmpty()) {
            return -1;
        }
        long nanos = Math.max(0, timers.peek().nanos - System.nanoTime());
        return (int) Math.min(Integer.MAX_VALUE, Duration.ofNanos(nanos).toMillis() + 1);
    }

    /// Takes the loop from the thread that is in this turn, unless it ends it right now.
    void overtake(Runner before, long turn) {
        overtaken.removeIf(thread -> !thread.isAlive());
        overtaken.add(before.thread());
        if (!before.overtake(turn)) {
            overtaken.remove(before.thread());
            return;
        }
        Source source = before.source();
        source.away = true;
        LOG.log(Level.DEBUG, "a turn takes long, the other connections go on: thread={0}", before.thread().getName());
        runNext(source);
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
        overtaken.add(self.thread());
        Source source = self.source();
        boolean within = Runner.within(self.turn()) || self.turn() == Runner.OVERTAKEN || self.isAlone();
        if (self.overtake(self.turn()) && !self.isAlone() && !ending) {
            if (within) {
                source.away = true;
            }
            runNext(within ? source : null);
        }
        if (within) {
            giveBack(self, source, Source.CLOSED);
        }
    }

    private void runNext(Source left) {
        Runner next = new Runner(this, name + "-" + threads++, left);
        runner = next;
        next.thread().start();
    }
}
