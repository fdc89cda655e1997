// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.lang.foreign.MemorySegment;

/// Frames of one sender on their way into inbound rings. Those that follow each other into the same ring share one taking of its lock, one
/// publication and one wake of its receiver. Confined to the sender's thread, which holds at most one such lock, and waits for nothing but
/// other senders' copies while it does.
final class Delivery {
    private static final FrameRing NOWHERE = new FrameRing(FrameRing.LEAST);

    private FrameRing ring = NOWHERE;
    /// Whose the ring is; none while it is nowhere.
    private Port port;
    private int taken;
    private int refused;

    /// Puts a frame into a port's inbound ring, to be seen after [#flush()].
    ///
    /// @return whether it got it
    boolean put(Port to, MemorySegment memory, long frame, int length, int tag) {
        if (!to.receives()) {
            to.counters().linkDown.increment();
            return false;
        }
        FrameRing inbound = to.inbound();
        if (inbound != ring) {
            flush();
            inbound.begin();
            ring = inbound;
            port = to;
        }
        if (!ring.put(memory, frame, length, tag, 0)) {
            refused++;
            return false;
        }
        taken++;
        return true;
    }

    /// Has everything seen.
    void flush() {
        if (ring == NOWHERE) {
            return;
        }
        ring.end();
        ring = NOWHERE;
        port.arrived(taken, refused);
        taken = 0;
        refused = 0;
    }
}
