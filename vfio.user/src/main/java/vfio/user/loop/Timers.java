// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import java.time.Duration;
import java.util.PriorityQueue;

/// Tasks that are to run later. Of the thread that runs the loop.
final class Timers {
    private final PriorityQueue<Timer> timers = new PriorityQueue<>((a, b) -> Long.signum(a.nanos - b.nanos));

    Timer add(Duration delay, Runnable task) {
        Timer timer = new Timer(System.nanoTime() + delay.toNanos(), task);
        timers.add(timer);
        return timer;
    }

    /// Forgets it; without effect when it has run, or for null.
    void remove(Timer timer) {
        timers.remove(timer);
    }

    /// Runs those whose time has come.
    void run() {
        while (!timers.isEmpty() && timers.peek().nanos - System.nanoTime() <= 0) {
            timers.poll().task.run();
        }
    }

    /// Milliseconds until the next is to run, rounded up; -1 when there is none.
    int untilNext() {
        if (timers.isEmpty()) {
            return -1;
        }
        long nanos = Math.max(0, timers.peek().nanos - System.nanoTime());
        return (int) Math.min(Integer.MAX_VALUE, Duration.ofNanos(nanos).toMillis() + 1);
    }
}
