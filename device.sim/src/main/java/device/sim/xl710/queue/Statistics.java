// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import device.sim.wire.Ethernet;
import device.sim.wire.PortCounters;
import java.util.concurrent.atomic.AtomicLongArray;

/// Counters of a virtual function. Written by the engine's thread alone, read by any.
final class Statistics {
    private static final int UNICAST = 0;
    private static final int MULTICAST = 1;
    private static final int BROADCAST = 2;
    private static final int BYTES = 3;
    private static final int DISCARDS = 4;
    private static final int ERRORS = 5;
    private static final int TRANSMIT = 6;
    private static final int DMA_FAULTS = 12;
    private static final int MALICIOUS = 13;

    private final AtomicLongArray values = new AtomicLongArray(14);
    private volatile int stoppedRx;
    private volatile int stoppedTx;
    private volatile StopReason last = StopReason.NONE;

    void received(long destination, int bytes) {
        add(cast(destination), 1);
        add(BYTES, bytes);
    }

    void receiveDiscarded() {
        add(DISCARDS, 1);
    }

    void transmitted(long destination, int bytes) {
        add(TRANSMIT + cast(destination), 1);
        add(TRANSMIT + BYTES, bytes);
    }

    void transmitDiscarded() {
        add(TRANSMIT + DISCARDS, 1);
    }

    void transmitFailed() {
        add(TRANSMIT + ERRORS, 1);
    }

    void dmaFault() {
        add(DMA_FAULTS, 1);
    }

    void stopped(int queue, boolean receive, StopReason reason) {
        add(MALICIOUS, 1);
        last = reason;
        if (receive) {
            stoppedRx |= 1 << queue;
        } else {
            stoppedTx |= 1 << queue;
        }
    }

    void goes(int queue, boolean receive) {
        if (receive) {
            stoppedRx &= ~(1 << queue);
        } else {
            stoppedTx &= ~(1 << queue);
        }
    }

    VfCounters counters(PortCounters port) {
        return new VfCounters(values.get(BYTES), values.get(UNICAST), values.get(MULTICAST), values.get(BROADCAST),
            values.get(DISCARDS) + port.full(), 0, values.get(TRANSMIT + BYTES), values.get(TRANSMIT + UNICAST),
            values.get(TRANSMIT + MULTICAST), values.get(TRANSMIT + BROADCAST), values.get(TRANSMIT + DISCARDS),
            values.get(TRANSMIT + ERRORS));
    }

    QueueFaults faults() {
        return new QueueFaults(values.get(MALICIOUS), values.get(DMA_FAULTS), stoppedRx, stoppedTx, last);
    }

    private static int cast(long destination) {
        if ((destination & Ethernet.GROUP_BIT) == 0) {
            return UNICAST;
        }
        return destination == Ethernet.BROADCAST ? BROADCAST : MULTICAST;
    }

    private void add(int counter, long amount) {
        values.setRelease(counter, values.getPlain(counter) + amount);
    }
}
