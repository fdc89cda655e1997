// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// The twelve counters of GET_STATS, in its order. Bytes are those of frames without frame check sequence.
public record VfCounters(long rxBytes, long rxUnicast, long rxMulticast, long rxBroadcast, long rxDiscards, long rxUnknownProtocol,
        long txBytes, long txUnicast, long txMulticast, long txBroadcast, long txDiscards, long txErrors) {
}
