// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A counted gate for calls that are rare and have no port: it knows the threads inside by name. Closing it is for good.
public final class Calls {
    private final Object lock = new Object();
    private final Map<Thread, Integer> inside = new HashMap<>();
    private boolean closed;

    /// Enters, unless the gate is closed; [#leave] follows exactly when this is true.
    public boolean enter() {
        synchronized (lock) {
            if (closed) {
                return false;
            }
            inside.merge(Thread.currentThread(), 1, Integer::sum);
            return true;
        }
    }

    /// Leaves.
    public void leave() {
        synchronized (lock) {
            inside.computeIfPresent(Thread.currentThread(), (thread, depth) -> depth == 1 ? null : depth - 1);
            lock.notifyAll();
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
