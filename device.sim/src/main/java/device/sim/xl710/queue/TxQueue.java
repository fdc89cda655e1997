// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import static device.sim.xl710.queue.DescriptorRing.WORD;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;

/// A transmit ring: takes packets from head to tail, hands each to [Transmission], and writes back what asked for it. A packet is begun
/// when its end is there, so the head is always between two packets.
///
/// Guarded by the queues' lock.
final class TxQueue extends ConfiguredQueue<TxSettings> {
    /// Packets sent before another queue has its turn.
    private static final int BATCH = 64;
    /// No tail.
    private static final int NONE = -1;

    private static final MemorySegment DONE = done();

    private final GuestMemory memory;
    private final Transmission transmission;
    private final QueueEvents events;
    /// The tail up to which the packet at the head has no end yet: nothing can be done until it is another.
    private int endless = NONE;

    TxQueue(int index, Tails tails, GuestMemory memory, Transmission transmission, QueueEvents events, Statistics statistics) {
        super(new DescriptorRing(index, false, tails, memory, statistics), TxSettings.NONE);
        this.memory = memory;
        this.transmission = transmission;
        this.events = events;
    }

    private static MemorySegment done() {
        MemorySegment word = Arena.global().allocate(Long.BYTES, Long.BYTES);
        word.set(WORD, 0, TxDescriptor.DTYPE_DONE);
        return word.asReadOnly();
    }

    /// Takes over what another had; its tail comes apart.
    void restore(TxSettings next, boolean on, StopReason reason, int position) {
        place(next);
        ring.enabled(on);
        ring.restore(reason, position);
        endless = NONE;
    }

    @Override
    void rewind() {
        ring.restore(StopReason.NONE, 0);
        endless = NONE;
        ring.tail(0);
    }

    boolean rung() {
        return ring.goes() && asksForWork(ring.tail()) && !ring.halted();
    }

    private boolean asksForWork(int tail) {
        return tail != ring.head() && tail != endless;
    }

    /// Sends what there is, up to a batch.
    ///
    /// @param inside the queues' lock, held; whoever waits for it comes in after the packet at hand
    /// @return whether there was anything to do
    boolean run(ReentrantLock inside) {
        if (!ring.goes()) {
            return false;
        }
        int tail = ring.tail();
        if (!asksForWork(tail) || ring.halted()) {
            return false;
        }
        if (tail >= settings().length()) {
            ring.stop(StopReason.BAD_TAIL);
            return true;
        }
        ring.rung(tail);
        for (int packets = 0; packets < BATCH && ring.head() != tail; packets++) {
            if (!collect(tail)) {
                endless = tail;
                return true;
            }
            endless = NONE;
            if (inside.hasQueuedThreads()) {
                return true;
            }
        }
        return true;
    }

    /// Takes the packet at the head, if its end is there.
    ///
    /// @return whether it was taken and there may be another
    private boolean collect(int tail) {
        transmission.begin();
        int at = ring.head();
        while (at != tail) {
            if (!ring.fetch(at, tail)) {
                return ring.stop(StopReason.RING_UNREACHABLE);
            }
            StopReason fault = transmission.add(ring.word(at, 0), ring.word(at, Long.BYTES), at);
            if (fault != StopReason.NONE) {
                return ring.stop(fault);
            }
            at = ring.next(at);
            if (transmission.complete()) {
                return send(at);
            }
        }
        int waiting = ring.distance(ring.head(), tail);
        return waiting == settings().length() - 1 && ring.stop(StopReason.NO_END_OF_PACKET);
    }

    private boolean send(int next) {
        StopReason fault = transmission.send();
        if (fault != StopReason.NONE) {
            return ring.stop(fault);
        }
        ring.head(next);
        for (int i = 0; i < transmission.reports(); i++) {
            if (!memory.write(ring.address(transmission.report(i)) + Long.BYTES, DONE, 0, Long.BYTES)) {
                return ring.stop(StopReason.RING_UNREACHABLE);
            }
        }
        if (transmission.reports() > 0) {
            events.wroteBack(ring.index(), false);
        }
        return true;
    }
}
