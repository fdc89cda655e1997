// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.ConcurrentHashMap;

/// The threads of a loop: the one that runs it, and those that did and are still in a turn. Any thread, but for [#runNext], which is called
/// by one at a time.
final class Threads {
    private static final System.Logger LOG = System.getLogger(Threads.class.getName());
    private static final Duration LOOK_AGAIN = Duration.ofMillis(5);

    private final PollLoop loop;
    private final String name;
    /// Those that lost the loop or gave it away, until somebody notices that they have ended.
    private final Collection<Thread> leaving = ConcurrentHashMap.newKeySet();
    private volatile Runner runner;
    private int started;

    Threads(PollLoop loop, String name) {
        this.loop = loop;
        this.name = name;
    }

    /// Who runs the loop.
    Runner runner() {
        return runner;
    }

    /// Has a new thread run the loop.
    ///
    /// @param left the source the one before is still in, or null
    void runNext(Source left) {
        Runner next = new Runner(loop, name + "-" + started++, left);
        runner = next;
        next.thread().start();
    }

    /// That thread does not run the loop any more, and ends when its turn does.
    void leaves(Thread thread) {
        leaving.removeIf(one -> !one.isAlive());
        leaving.add(thread);
    }

    /// It does after all.
    void stays(Thread thread) {
        leaving.remove(thread);
    }

    /// Waits for whoever runs the loop; that may change meanwhile.
    boolean joinRunner(long deadline) {
        Runner last;
        do {
            last = runner;
            while (!joined(last.thread(), Math.min(deadline, System.nanoTime() + LOOK_AGAIN.toNanos()))) {
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

    /// Waits for the others, and interrupts those that do not come.
    boolean joinLeaving(long deadline) {
        boolean gone = true;
        for (Thread thread : leaving) {
            if (!joined(thread, deadline)) {
                LOG.log(Level.WARNING, "a thread does not leave a device and is interrupted: thread={0}", thread.getName());
                thread.interrupt();
                gone = false;
            }
        }
        return gone;
    }

    /// Waits for a thread.
    ///
    /// @return whether it has ended
    static boolean joined(Thread thread, long deadline) {
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
}
