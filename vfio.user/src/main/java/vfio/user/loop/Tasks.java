// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import java.util.ArrayList;
import java.util.List;

/// Tasks for the thread that runs the loop, in order. Any thread adds; the lock is `lock`, and is not held while one runs.
final class Tasks {
    private final Object lock = new Object();
    private List<Runnable> waiting = new ArrayList<>();
    private boolean ended;
    /// Whether there are any; asked without the lock, before each wait.
    private volatile boolean any;

    /// @return false when no task will run any more
    boolean add(Runnable task) {
        synchronized (lock) {
            if (ended) {
                return false;
            }
            waiting.add(task);
            any = true;
            return true;
        }
    }

    /// Runs those that wait now.
    void run() {
        if (any) {
            take(false).forEach(Runnable::run);
        }
    }

    /// Runs what is left and what that adds; from then on none is taken.
    void end() {
        List<Runnable> last;
        while (!(last = take(true)).isEmpty()) {
            last.forEach(Runnable::run);
        }
    }

    private List<Runnable> take(boolean endIfNone) {
        synchronized (lock) {
            if (waiting.isEmpty()) {
                ended |= endIfNone;
                return List.of();
            }
            any = false;
            List<Runnable> taken = waiting;
            waiting = new ArrayList<>();
            return taken;
        }
    }
}
