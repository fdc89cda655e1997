// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.engine;

import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/// Runs the tasks of one virtual function in a thread of its own, in the order in which they registered, until none has anything to do. It
/// then looks for a little longer, and sleeps until somebody wakes it.
///
/// Thread-safe. No method waits for a task, so all may be called with locks held that a task takes.
public final class VfEngine {
    private static final System.Logger LOG = System.getLogger(VfEngine.class.getName());

    private final String name;
    private final DoorbellWatch watch;
    private final List<Task> tasks = new CopyOnWriteArrayList<>();
    /// Replaced as a whole, under the lock.
    private volatile Doorbells[] doorbells = new Doorbells[0];
    private final Object lock = new Object();
    private final AtomicBoolean asleep = new AtomicBoolean();
    private volatile Optional<Worker> worker = Optional.empty();

    /// Without a thread until [#start()].
    ///
    /// @param name of the thread
    /// @param watch the card's
    public VfEngine(String name, DoorbellWatch watch) {
        this.name = name;
        this.watch = watch;
    }

    /// Adds a task behind those that are there.
    public void register(Task task) {
        tasks.add(task);
        wake();
    }

    /// Adds doorbells that are looked at while the engine sleeps.
    public void watch(Doorbells added) {
        synchronized (lock) {
            Doorbells[] all = Arrays.copyOf(doorbells, doorbells.length + 1);
            all[doorbells.length] = added;
            doorbells = all;
        }
        wake();
    }

    /// Starts the thread; has no effect when it runs. After a [#stop()] the new thread waits for the old one to end before it runs a task.
    public void start() {
        synchronized (lock) {
            if (worker.filter(running -> !running.stopped).isPresent()) {
                return;
            }
            Worker next = new Worker(worker.map(old -> old.thread));
            worker = Optional.of(next);
            watch.add(this);
            next.thread.start();
        }
    }

    /// Has the thread end after the task it is in. Returns at once: the tasks say themselves when they are out of what they use.
    public void stop() {
        synchronized (lock) {
            watch.remove(this);
            worker.ifPresent(Worker::stop);
        }
    }

    /// Waits for the thread to end after a [#stop()].
    ///
    /// @return whether it did within that time
    public boolean awaitEnd(Duration timeout) throws InterruptedException {
        Optional<Worker> last = worker;
        return last.isEmpty() || last.get().thread.join(timeout);
    }

    /// Has the tasks run soon. Whatever the caller did before is seen by them. Never blocks, allocates nothing, and costs little when the
    /// engine is awake.
    public void wake() {
        // Against the fence in the worker between saying that it sleeps and the last look: one of the two sees the other.
        VarHandle.fullFence();
        if (asleep.get() && asleep.compareAndSet(true, false)) {
            worker.ifPresent(running -> LockSupport.unpark(running.thread));
        }
    }

    /// Whether the caller is the engine's own thread.
    public boolean isCurrentThread() {
        Optional<Worker> running = worker;
        return running.isPresent() && running.get().thread == Thread.currentThread();
    }

    boolean isAsleep() {
        return asleep.get();
    }

    /// Whether a doorbell matters, for the watching thread.
    boolean watched() {
        for (Doorbells each : doorbells) {
            if (each.watched()) {
                return true;
            }
        }
        return false;
    }

    /// Whether a doorbell was rung, for the watching thread.
    boolean rung() {
        for (Doorbells each : doorbells) {
            if (each.watched() && each.rung()) {
                return true;
            }
        }
        return false;
    }

    private boolean runTasks() {
        boolean worked = false;
        for (int i = 0; i < tasks.size(); i++) {
            worked |= tasks.get(i).run();
        }
        return worked;
    }

    private long sleepNanos() {
        long least = Task.FOREVER;
        for (int i = 0; i < tasks.size(); i++) {
            least = Math.min(least, tasks.get(i).sleepNanos());
        }
        return least;
    }

    /// One life of the thread.
    private final class Worker implements Runnable {
        private final Thread thread;
        /// Let go once it has ended: it leads to the one before it, and so on.
        private Optional<Thread> before;
        private volatile boolean stopped;

        Worker(Optional<Thread> before) {
            this.before = before;
            this.thread = Thread.ofPlatform().name(name).daemon().uncaughtExceptionHandler(this::died).unstarted(this);
        }

        void stop() {
            stopped = true;
            LockSupport.unpark(thread);
        }

        @Override
        public void run() {
            if (!awaitBefore()) {
                return;
            }
            Spin spin = new Spin();
            try {
                while (!stopped) {
                    if (runTasks()) {
                        spin.worked();
                    } else if (!spin.again()) {
                        sleep();
                    }
                }
            } finally {
                spin.worked();
                asleep.set(false);
            }
        }

        private boolean awaitBefore() {
            while (before.isPresent() && before.get().isAlive()) {
                try {
                    before.get().join();
                } catch (InterruptedException nobodyInterruptsUs) {
                    return false;
                }
            }
            before = Optional.empty();
            return true;
        }

        private void sleep() {
            asleep.set(true);
            VarHandle.fullFence();
            // The last look, now that whoever comes later wakes us.
            if (!runTasks() && !stopped) {
                watch.fellAsleep();
                long nanos = sleepNanos();
                // Who woke us meanwhile has said so here, and a lock that a task waited for may have used up the permit that came with it.
                if (asleep.get()) {
                    park(nanos);
                }
            }
            asleep.set(false);
        }

        private void park(long nanos) {
            if (nanos == Task.FOREVER) {
                LockSupport.park(VfEngine.this);
            } else if (nanos > 0) {
                LockSupport.parkNanos(VfEngine.this, nanos);
            }
        }

        /// A bug of ours. The function does nothing more until it is attached again; others go on.
        private void died(Thread self, Throwable bug) {
            stopped = true;
            LOG.log(System.Logger.Level.ERROR, self.getName() + " ended by a fault", bug);
        }
    }
}
