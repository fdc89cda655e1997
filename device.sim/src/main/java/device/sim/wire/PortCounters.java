// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.util.concurrent.atomic.LongAdder;

/// What passed a port, and what did not. Frames; read by any thread.
public final class PortCounters {
    final LongAdder delivered = new LongAdder();
    final LongAdder full = new LongAdder();
    final LongAdder linkDown = new LongAdder();
    final LongAdder wrongVlan = new LongAdder();

    PortCounters() {
    }

    /// Put into the inbound ring.
    public long delivered() {
        return delivered.sum();
    }

    /// Dropped because the inbound ring was full.
    public long full() {
        return full.sum();
    }

    /// Dropped on their way in or out because the link was down, or nobody received.
    public long linkDown() {
        return linkDown.sum();
    }

    /// Sent with a tag from a port that the host put in a VLAN, and dropped.
    public long wrongVlan() {
        return wrongVlan.sum();
    }
}
