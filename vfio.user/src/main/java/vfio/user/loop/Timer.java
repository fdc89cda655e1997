// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

/// A task that is to run later ([PollLoop#schedule]).
public final class Timer {
    /// When, as [System#nanoTime()] has it.
    final long nanos;
    final Runnable task;

    Timer(long nanos, Runnable task) {
        this.nanos = nanos;
        this.task = task;
    }
}
