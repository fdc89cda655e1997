// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// Where queues report that they wrote back. Called by the engine's thread with no lock held.
@FunctionalInterface
public interface QueueInterrupts {
    /// An event of a vector.
    ///
    /// @param vector as mapped; 0 for the one that the mailbox has too
    /// @param indices a bit for each throttling index that queues of it are mapped with, 0 to 2, and 3 for none
    void event(int vector, int indices);

    /// An event of queues that are mapped to vector 0, where each has a cause of its own.
    ///
    /// @param queues a bit for each queue pair
    /// @param indices as in [#event]
    default void causes(int queues, int indices) {
        event(0, indices);
    }
}
