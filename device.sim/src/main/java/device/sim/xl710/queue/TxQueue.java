// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.locks.ReentrantLock;

/// A transmit ring: takes packets from head to tail, hands each to [Transmission], and writes back what asked for it. Descriptors are
/// fetched in runs. A packet is begun when its end is there, so the head is always between two packets.
///
/// Guarded by the queues' lock.
final class TxQueue {
    /// Descriptors that are fetched at a time.
    private static final int WINDOW = 64;
    /// Packets sent before another queue has its turn.
    private static final int BATCH = 64;
    /// No tail.
    private static final int NONE = -1;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final MemorySegment DONE = done();

    private final int index;
    private final Tails tails;
    private final GuestMemory memory;
    private final Transmission transmission;
    private final QueueEvents events;
    private final Statistics statistics;
    private final MemorySegment window = Arena.ofAuto().allocate(WINDOW * TxDescriptor.SIZE, 64);
    private DoorbellTap tap = DoorbellTap.NONE;
    private TxSettings settings = TxSettings.NONE;
    private boolean enabled;
    private StopReason stopped = StopReason.NONE;
    private int head;
    /// The tail up to which the packet at the head has no end yet: nothing can be done until it is another.
    private int endless = NONE;
    private int windowStart;
    private int windowLength;

    TxQueue(int index, Tails tails, GuestMemory memory, Transmission transmission, QueueEvents events, Statistics statistics) {
        this.index = index;
        this.tails = tails;
        this.memory = memory;
        this.transmission = transmission;
        this.events = events;
        this.statistics = statistics;
    }

    private static MemorySegment done() {
        MemorySegment word = Arena.global().allocate(Long.BYTES, Long.BYTES);
        word.set(LONG, 0, TxDescriptor.DTYPE_DONE);
        return word.asReadOnly();
    }

    boolean configure(TxSettings next) {
        if (enabled) {
            return false;
        }
        settings = next;
        rewind();
        return true;
    }

    boolean configured() {
        return settings.length() > 0;
    }

    boolean enabled() {
        return enabled;
    }

    TxSettings settings() {
        return settings;
    }

    int head() {
        return head;
    }

    StopReason stopped() {
        return stopped;
    }

    void tap(DoorbellTap next) {
        tap = next;
    }

    void enable() {
        if (!enabled) {
            rewind();
            enabled = true;
        }
    }

    void disable() {
        enabled = false;
        rewind();
    }

    void reset() {
        disable();
        settings = TxSettings.NONE;
    }

    /// Takes over what another had.
    void restore(TxSettings next, boolean on, StopReason reason, int position) {
        settings = next;
        enabled = on;
        head = position;
        endless = NONE;
        windowLength = 0;
        stopped = reason;
        if (reason == StopReason.NONE) {
            statistics.goes(index, false);
        } else {
            statistics.stopped(index, false, reason);
        }
    }

    private void rewind() {
        head = 0;
        endless = NONE;
        windowLength = 0;
        stopped = StopReason.NONE;
        statistics.goes(index, false);
        tails.set(false, index, 0);
    }

    boolean rung() {
        return enabled && stopped == StopReason.NONE && asksForWork(tails.get(false, index)) && !tails.halted();
    }

    private boolean asksForWork(int tail) {
        return tail != head && tail != endless;
    }

    /// Sends what there is, up to a batch.
    ///
    /// @param inside the queues' lock, held; whoever waits for it comes in after the packet at hand
    /// @return whether there was anything to do
    boolean run(ReentrantLock inside) {
        if (!enabled || stopped != StopReason.NONE) {
            return false;
        }
        int tail = tails.get(false, index);
        if (!asksForWork(tail) || tails.halted()) {
            return false;
        }
        if (tail >= settings.length()) {
            stop(StopReason.BAD_TAIL);
            return true;
        }
        tap.doorbell(Tails.register(false, index), tail);
        for (int packets = 0; packets < BATCH && head != tail; packets++) {
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
        int at = head;
        while (at != tail) {
            if (!fetch(at, tail)) {
                return stop(StopReason.RING_UNREACHABLE);
            }
            long slot = (long) (at - windowStart) * TxDescriptor.SIZE;
            StopReason fault = transmission.add(window.get(LONG, slot), window.get(LONG, slot + Long.BYTES), at);
            if (fault != StopReason.NONE) {
                return stop(fault);
            }
            at = next(at);
            if (transmission.complete()) {
                return send(at);
            }
        }
        int waiting = RingRules.distance(head, tail, settings.length());
        return waiting == settings.length() - 1 && stop(StopReason.NO_END_OF_PACKET);
    }

    private boolean send(int next) {
        StopReason fault = transmission.send();
        if (fault != StopReason.NONE) {
            return stop(fault);
        }
        head = next;
        for (int i = 0; i < transmission.reports(); i++) {
            long address = settings.base() + (long) transmission.report(i) * TxDescriptor.SIZE;
            if (!memory.write(address + Long.BYTES, DONE, 0, Long.BYTES)) {
                return stop(StopReason.RING_UNREACHABLE);
            }
        }
        if (transmission.reports() > 0) {
            events.wroteBack(index, false);
        }
        return true;
    }

    /// Has a descriptor in the window, with those behind it up to the tail or the ring's end.
    private boolean fetch(int at, int tail) {
        if (at >= windowStart && at < windowStart + windowLength) {
            return true;
        }
        int end = at < tail ? tail : settings.length();
        int count = Math.min(WINDOW, end - at);
        windowStart = at;
        windowLength = 0;
        if (!memory.read(settings.base() + (long) at * TxDescriptor.SIZE, window, 0, count * TxDescriptor.SIZE)) {
            return false;
        }
        windowLength = count;
        return true;
    }

    private int next(int at) {
        return at + 1 == settings.length() ? 0 : at + 1;
    }

    private boolean stop(StopReason reason) {
        stopped = reason;
        statistics.stopped(index, false, reason);
        return false;
    }
}
