// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.util.concurrent.atomic.AtomicInteger;

/// Who may be inside a connection's device: the connection, and each event that something is done in the device for. It is closed when the
/// last of them has left.
final class Visits {
    private final AtomicInteger here = new AtomicInteger(1);
    private volatile Runnable next = () -> { };

    /// One more. In a turn of the connection.
    void come() {
        here.incrementAndGet();
    }

    /// One less; none of its turns comes any more.
    void leave() {
        if (here.decrementAndGet() == 0) {
            next.run();
        }
    }

    /// The connection leaves.
    ///
    /// @param afterwards run when all have left
    void end(Runnable afterwards) {
        next = afterwards;
        leave();
    }
}
