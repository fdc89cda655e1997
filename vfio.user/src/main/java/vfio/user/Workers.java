// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Threads that open and close devices, which may wait for mediators. There are as many as there are devices being opened or closed at
/// once, so that one which hangs keeps nobody else from it; they end when there is nothing to do.
final class Workers implements Executor {
    private static final int MOST = 4096;
    private static final int IDLE_SECONDS = 2;

    private final AtomicLong number = new AtomicLong();
    private final ThreadPoolExecutor pool;
    /// Those that were made; a pool that has terminated may still have a thread on its very last steps, and a bundle leaves none behind.
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();

    /// @param prefix of the threads' names
    Workers(String prefix) {
        pool = new ThreadPoolExecutor(0, MOST, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(),
            task -> made(Thread.ofPlatform().name(prefix, number.getAndIncrement()).daemon().unstarted(task)),
            // A turn that was abandoned comes back when all has ended: it closes its device itself.
            (task, _) -> task.run());
    }

    private Thread made(Thread thread) {
        threads.removeIf(before -> before.getState() == Thread.State.TERMINATED);
        threads.add(thread);
        return thread;
    }

    @Override
    public void execute(Runnable task) {
        pool.execute(task);
    }

    /// Waits for what is being done; interrupts it at the end of the time.
    ///
    /// @return whether nothing is left
    boolean end(Duration bound) {
        pool.shutdown();
        long deadline = System.nanoTime() + bound.toNanos();
        try {
            if (pool.awaitTermination(bound.toNanos(), TimeUnit.NANOSECONDS)) {
                for (Thread thread : threads) {
                    thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
                }
                return true;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        pool.shutdownNow();
        return false;
    }
}
