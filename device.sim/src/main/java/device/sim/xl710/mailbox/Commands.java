// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.mailbox;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/// What is behind an admin queue. All of it is called on the engine's thread with no lock held.
public interface Commands {
    /// Executes a command.
    ///
    /// @param buffer what the driver gave, zero behind that; the command may write it, for the driver to get back
    /// @param length bytes in it that are the driver's; 0 when it gave none
    /// @param replies where messages to the driver are put, at most [AdminQueues#MOST_REPLIES]
    Outcome execute(Descriptor command, MemorySegment buffer, int length, List<Message> replies);

    /// The descriptor of the last command has been handed back and its replies are queued: time for what must come after.
    default void completed() {
    }

    /// What the device has to say by itself now, taken by this call.
    default Optional<Message> announcement() {
        return Optional.empty();
    }
}
