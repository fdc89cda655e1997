// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import java.util.ArrayList;
import java.util.List;

/// A counted gate for calls that are rare and have no port: it knows the threads inside by name. Closing it is for good.
///
/// There are as many of these as mediators are registered, and each is passed at every open: one that is empty takes little memory.
public final class Calls {
    private final Object lock = new Object();
    /// The first of those inside, or null. Guarded by the lock.
    private Visit first;
    private boolean closed;
    /// Threads in [#drain]. Guarded by the lock.
    private int waiting;

    /// One thread's stay; guarded by the lock.
    private static final class Visit {
        private final Thread thread;
        private Visit next;
        private int depth;
        private Runnable onLeave;

        Visit(Thread thread, Visit next) {
            this.thread = thread;
            this.next = next;
        }
    }

    /// The stay of a thread, or null.
    private Visit ofLocked(Thread thread) {
        Visit visit = first;
        while (visit != null && visit.thread != thread) {
            visit = visit.next;
        }
        return visit;
    }

    private void removeLocked(Visit visit) {
        if (first == visit) {
            first = visit.next;
            return;
        }
        Visit before = first;
        while (before.next != visit) {
            before = before.next;
        }
        before.next = visit.next;
    }

    /// Enters, unless the gate is closed; [#leave] follows exactly when this is true.
    public boolean enter() {
        Thread self = Thread.currentThread();
        synchronized (lock) {
            if (closed) {
                return false;
            }
            Visit visit = ofLocked(self);
            if (visit == null) {
                visit = new Visit(self, first);
                first = visit;
            }
            visit.depth++;
            return true;
        }
    }

    /// Leaves.
    public void leave() {
        Runnable onLeave = null;
        synchronized (lock) {
            Visit visit = ofLocked(Thread.currentThread());
            if (--visit.depth == 0) {
                removeLocked(visit);
                onLeave = visit.onLeave;
                if (waiting > 0) {
                    lock.notifyAll();
                }
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
            Visit visit = ofLocked(Thread.currentThread());
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
            return ofLocked(thread) != null;
        }
    }

    /// Interrupts a thread if it is inside, and only then.
    public void interrupt(Thread thread) {
        synchronized (lock) {
            if (ofLocked(thread) != null) {
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
                List<Thread> others = othersLocked();
                long millis = Math.ceilDiv(deadlineNanos - System.nanoTime(), 1_000_000L);
                if (others.isEmpty() || millis <= 0) {
                    if (interrupted) {
                        Thread.currentThread().interrupt();
                    }
                    return others;
                }
                waiting++;
                try {
                    lock.wait(millis);
                } catch (InterruptedException e) {
                    interrupted = true;
                } finally {
                    waiting--;
                }
            }
        }
    }

    private List<Thread> othersLocked() {
        List<Thread> others = new ArrayList<>();
        for (Visit visit = first; visit != null; visit = visit.next) {
            if (visit.thread != Thread.currentThread()) {
                others.add(visit.thread);
            }
        }
        return others;
    }
}
