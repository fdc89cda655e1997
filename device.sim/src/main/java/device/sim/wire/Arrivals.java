// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// What an uplink received, on its way into the switch: too short and too long is dropped, a tag is taken out, the rest is padded. Confined
/// to the uplink's receiving thread.
final class Arrivals {
    /// Where a received frame starts in its buffer: there is room for a tag before it.
    static final int START = 8;
    /// Bytes of such a buffer: one more than what is taken, so that a frame which is too long shows.
    static final int BUFFER = START + Ethernet.LONGEST + Ethernet.TAG + 1;

    private final Switch owner;

    Arrivals(Switch owner) {
        this.owner = owner;
    }

    void arrived(MemorySegment memory, int length) {
        if (length < Ethernet.HEADER || length > Ethernet.LONGEST + Ethernet.TAG) {
            return;
        }
        for (int i = length; i < Ethernet.SHORTEST + Ethernet.TAG; i++) {
            memory.set(ValueLayout.JAVA_BYTE, START + i, (byte) 0);
        }
        if (Ethernet.type(memory, START) == Ethernet.TYPE_VLAN && length >= Ethernet.HEADER + Ethernet.TAG) {
            int tag = Ethernet.inlineTag(memory, START);
            Ethernet.takeTagOut(memory, START);
            owner.receive(memory, START + Ethernet.TAG, Math.max(length - Ethernet.TAG, Ethernet.SHORTEST), tag);
        } else if (length <= Ethernet.LONGEST) {
            owner.receive(memory, START, Math.max(length, Ethernet.SHORTEST), Ethernet.UNTAGGED);
        }
    }
}
