// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A counted gate for calls that are rare and have no port: it knows the threads inside by name. Closing it is for good.
public final class Calls {
    private final Object lock = new Object();
    private final Map<Thread, Visit> inside = new HashMap<>();
    private boolean closed;

    /// One thread's stay; guarded by the lock.
    private static final class Visit {
        private int depth;
        private Runnable onLeave;
    }

    /// Enters, unless the gate is closed; [#leave] follows exactly when this is true.
    public boolean enter() {
        synchronized (lock) {
            if (closed) {
                return false;
            }
            inside.computeIfAbsent(Thread.currentThread(), thread -> new Visit()).depth++;
            return true;
        }
    }

    /// Leaves.
    public void leave() {
        Runnable onLeave = null;
        synchronized (lock) {
            Visit visit = inside.get(Thread.currentThread());
            if (--visit.depth == 0) {
                inside.remove(Thread.currentThread());
                onLeave = visit.onLeave;
                lock.notifyAll();
            }
        }
        if (onLeave != null) {
            onLeave.run();
        }
    }

    /// Has the calling thread run something when it leaves.
    ///
    /// @return false when it is not inside
    public boolean onLeave(Runnable action) {
        synchronized (lock) {
            Visit visit = inside.get(Thread.currentThread());
            if (visit == null) {
                return false;
            }
            visit.onLeave = action;
            return true;
        }
    }

    /// Lets nobody in any more.
    public void shut() {
        synchronized (lock) {
            closed = true;
        }
    }

    /// Whether [#shut()] was called.
    public boolean isShut() {
        synchronized (lock) {
            return closed;
        }
    }

    /// Whether this thread is inside.
    public boolean isInside(Thread thread) {
        synchronized (lock) {
            return inside.containsKey(thread);
        }
    }

    /// Interrupts a thread if it is inside, and only then.
    public void interrupt(Thread thread) {
        synchronized (lock) {
            if (inside.containsKey(thread)) {
                thread.interrupt();
            }
        }
    }

    /// Waits until nobody but the calling thread is inside, at most until the deadline. An interrupt is kept for later.
    ///
    /// @param deadlineNanos on the clock of [System#nanoTime()]
    /// @return the other threads inside still
    public List<Thread> drain(long deadlineNanos) {
        boolean interrupted = false;
        synchronized (lock) {
            while (true) {
                List<Thread> others = inside.keySet().stream().filter(thread -> thread != Thread.currentThread()).toList();
                long millis = Math.ceilDiv(deadlineNanos - System.nanoTime(), 1_000_000L);
                if (others.isEmpty() || millis <= 0) {
                    if (interrupted) {
                        Thread.currentThread().interrupt();
                    }
                    return others;
                }
                try {
                    lock.wait(millis);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
    }
}
