// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.engine;

/// A part of a device that its engine runs: a mailbox, the queues.
@FunctionalInterface
public interface Task {
    /// No need to be run again before somebody wakes the engine.
    long FOREVER = Long.MAX_VALUE;

    /// Does a bounded piece of what there is to do. Called by the engine's thread alone, with no lock held; may wait for guest memory. What
    /// is to be done is decided by looking at levels (a tail against a head), so that a call too many does no harm.
    ///
    /// @return whether there was something to do; the engine comes back at once then
    boolean run();

    /// How long the engine may sleep before it comes back though nobody woke it. Asked after [#run()] said that there was nothing.
    ///
    /// @return nanoseconds, or [#FOREVER]
    default long sleepNanos() {
        return FOREVER;
    }
}
