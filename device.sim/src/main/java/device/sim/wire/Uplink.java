// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.lang.foreign.MemorySegment;

/// What is behind the switch. Gets what none of the ports owns, and all that is for a group.
public interface Uplink extends AutoCloseable {
    /// No uplink.
    Uplink NONE = new Uplink() {
        @Override
        public boolean send(MemorySegment memory, long frame, int length) {
            return false;
        }

        @Override
        public void close() {
        }
    };

    /// Sends a frame, tag included. Called by the threads of all ports; must not block.
    ///
    /// @return whether it was sent; it is dropped else
    boolean send(MemorySegment memory, long frame, int length);

    /// Ends it, and its thread where it has one. A second call has no effect.
    @Override
    void close();
}
