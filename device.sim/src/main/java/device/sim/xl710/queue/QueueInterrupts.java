// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// Where queues report that they wrote back. Called by the engine's thread with no lock held.
@FunctionalInterface
public interface QueueInterrupts {
    /// An event of a vector.
    ///
    /// @param vector as mapped; 0 for the one that the mailbox has too
    void event(int vector);

    /// An event of queues that are mapped to vector 0, where each has a cause of its own.
    ///
    /// @param queues a bit for each queue pair
    default void causes(int queues) {
        event(0);
    }
}
