// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.nio.ByteBuffer;

/** What the PF says unasked, {@code struct virtchnl_pf_event}. */
sealed interface PfEvent {
    /** The link is up or down, and how fast, in Mbit/s with ADV_LINK_SPEED. */
    record LinkChange(boolean up, int speed) implements PfEvent {
    }

    /** The function will be reset. */
    record ResetImpending() implements PfEvent {
    }

    /** The PF's driver leaves. */
    record PfDriverClose() implements PfEvent {
    }

    /** Bytes of it. */
    int BYTES = 16;

    static PfEvent decode(AqMessage message) {
        ByteBuffer in = message.payload();
        if (in.remaining() != BYTES || message.status() != 0) {
            throw new IavfException("event %s expected=0x%x bytes, status 0", message, BYTES);
        }
        int event = in.getInt(0);
        return switch (event) {
            case 1 -> new LinkChange(in.get(8) != 0, in.getInt(4));
            case 2 -> new ResetImpending();
            case 3 -> new PfDriverClose();
            default -> throw new IavfException("event=%d expected=1 to 3", event);
        };
    }
}
