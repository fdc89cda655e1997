// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.nio.ByteBuffer;

/** What GET_STATS answers, {@code struct virtchnl_eth_stats}. */
public record VfStats(long rxBytes, long rxUnicast, long rxMulticast, long rxBroadcast, long rxDiscards, long rxUnknownProtocol,
        long txBytes, long txUnicast, long txMulticast, long txBroadcast, long txDiscards, long txErrors) {
    private static final int BYTES = 96;

    static VfStats decode(AqMessage message) {
        ByteBuffer in = message.payload();
        if (in.remaining() != BYTES) {
            throw new IavfException("%s expected=0x%x bytes of statistics", message, BYTES);
        }
        return new VfStats(in.getLong(), in.getLong(), in.getLong(), in.getLong(), in.getLong(), in.getLong(), in.getLong(), in.getLong(),
            in.getLong(), in.getLong(), in.getLong(), in.getLong());
    }

    /** What was counted since. */
    public VfStats minus(VfStats earlier) {
        return new VfStats(rxBytes - earlier.rxBytes, rxUnicast - earlier.rxUnicast, rxMulticast - earlier.rxMulticast,
            rxBroadcast - earlier.rxBroadcast, rxDiscards - earlier.rxDiscards, rxUnknownProtocol - earlier.rxUnknownProtocol,
            txBytes - earlier.txBytes, txUnicast - earlier.txUnicast, txMulticast - earlier.txMulticast,
            txBroadcast - earlier.txBroadcast, txDiscards - earlier.txDiscards, txErrors - earlier.txErrors);
    }
}
