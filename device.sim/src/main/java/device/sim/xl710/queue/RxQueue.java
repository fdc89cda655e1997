// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// A receive ring: writes frames into the buffers from head to tail, and writes the descriptors back in runs and in ring order, each one's
/// second quadword, which has the done bit, after everything else.
///
/// Guarded by the queues' lock.
final class RxQueue {
    /// Most descriptors of a frame.
    static final int MOST_BUFFERS = 5;
    /// Descriptors that are fetched, and written back, at a time.
    private static final int WINDOW = 64;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// What became of a frame.
    enum Outcome {
        /// It is in memory.
        DELIVERED,
        /// It was dropped.
        DROPPED,
        /// There are no descriptors for it now.
        NO_DESCRIPTORS
    }

    private final int index;
    private final Tails tails;
    private final GuestMemory memory;
    private final QueueEvents events;
    private final Statistics statistics;
    private final MemorySegment window = Arena.ofAuto().allocate(WINDOW * RxDescriptor.SIZE, 64);
    private final MemorySegment back = Arena.ofAuto().allocate(WINDOW * RxDescriptor.SIZE, 64);
    private final MemorySegment status = Arena.ofAuto().allocate(WINDOW * Long.BYTES, 64);
    private DoorbellTap tap = DoorbellTap.NONE;
    private RxSettings settings = RxSettings.NONE;
    private boolean enabled;
    private StopReason stopped = StopReason.NONE;
    private int head;
    private int tail;
    private int windowStart;
    private int windowLength;
    private int backStart;
    private int backLength;
    /// A frame waits for descriptors.
    private boolean starving;

    RxQueue(int index, Tails tails, GuestMemory memory, QueueEvents events, Statistics statistics) {
        this.index = index;
        this.tails = tails;
        this.memory = memory;
        this.events = events;
        this.statistics = statistics;
    }

    boolean configure(RxSettings next) {
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

    /// Whether frames can be delivered here.
    boolean receives() {
        return enabled && stopped == StopReason.NONE;
    }

    RxSettings settings() {
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
        settings = RxSettings.NONE;
        tails.set(true, index, 0);
    }

    /// Takes over what another had.
    void restore(RxSettings next, boolean on, StopReason reason, int position) {
        rewind();
        settings = next;
        enabled = on;
        head = position;
        tail = position;
        if (reason != StopReason.NONE) {
            stop(reason);
        }
    }

    private void rewind() {
        head = 0;
        tail = 0;
        windowLength = 0;
        backLength = 0;
        starving = false;
        stopped = StopReason.NONE;
        statistics.goes(index, true);
    }

    /// Only a frame that waits makes a tail matter.
    boolean rung() {
        return receives() && starving && tails.get(true, index) != tail && !tails.halted();
    }

    int index() {
        return index;
    }

    /// Writes a frame into the buffers at the head.
    ///
    /// @param qw0 first quadword of the last descriptor
    /// @param qw1 second quadword of the last descriptor, without its length
    Outcome deliver(MemorySegment source, long frame, int length, long qw0, long qw1) {
        int size = settings.bufferSize();
        int needed = (length + size - 1) / size;
        if (length > settings.maxPacket() || needed > MOST_BUFFERS) {
            return Outcome.DROPPED;
        }
        if (available() < needed && !lookAtTail(needed)) {
            return stopped == StopReason.NONE ? Outcome.NO_DESCRIPTORS : Outcome.DROPPED;
        }
        starving = false;
        for (int done = 0; done < length;) {
            int part = Math.min(size, length - done);
            boolean last = done + part == length;
            if (!fetch()) {
                stop(StopReason.RING_UNREACHABLE);
                return Outcome.DROPPED;
            }
            long buffer = window.get(LONG, (long) (head - windowStart) * RxDescriptor.SIZE);
            if (!memory.write(buffer, source, frame + done, part)) {
                // The frame ends here, as one that was damaged.
                writeBack(qw0, qw1 | RxDescriptor.RXE | RxDescriptor.EOF, part);
                return Outcome.DROPPED;
            }
            writeBack(last ? qw0 : 0, last ? qw1 | RxDescriptor.EOF : 0, part);
            done += part;
        }
        return Outcome.DELIVERED;
    }

    private int available() {
        return RingRules.distance(head, tail, settings.length());
    }

    private boolean lookAtTail(int needed) {
        int now = tails.get(true, index);
        if (now != tail && !tails.halted()) {
            if (now >= settings.length()) {
                stop(StopReason.BAD_TAIL);
                return false;
            }
            tap.doorbell(Tails.register(true, index), now);
            tail = now;
        }
        starving = available() < needed;
        return !starving;
    }

    /// Has the descriptor at the head in the window, with those behind it up to the tail or the ring's end.
    private boolean fetch() {
        if (head >= windowStart && head < windowStart + windowLength) {
            return true;
        }
        int end = head < tail ? tail : settings.length();
        int count = Math.min(WINDOW, end - head);
        windowStart = head;
        windowLength = 0;
        if (!memory.read(settings.base() + (long) head * RxDescriptor.SIZE, window, 0, count * RxDescriptor.SIZE)) {
            return false;
        }
        windowLength = count;
        return true;
    }

    private void writeBack(long qw0, long qw1, int length) {
        if (backLength == 0) {
            backStart = head;
        }
        long slot = (long) backLength * RxDescriptor.SIZE;
        back.set(LONG, slot, qw0);
        back.set(LONG, slot + 8, 0);
        back.set(LONG, slot + 16, 0);
        back.set(LONG, slot + 24, 0);
        status.set(LONG, (long) backLength * Long.BYTES, qw1 | RxDescriptor.DD | RxDescriptor.length(length));
        backLength++;
        head = head + 1 == settings.length() ? 0 : head + 1;
        if (backLength == WINDOW || head == 0) {
            flush();
        }
    }

    /// Writes back what was staged. Descriptors belong to the driver from their own second quadword on.
    void flush() {
        int count = backLength;
        backLength = 0;
        if (count == 0 || stopped != StopReason.NONE) {
            return;
        }
        long address = settings.base() + (long) backStart * RxDescriptor.SIZE;
        boolean written = memory.write(address, back, 0, count * RxDescriptor.SIZE);
        // A driver that sees a done bit sees the frame and the rest of the descriptor.
        VarHandle.releaseFence();
        for (int i = 0; written && i < count; i++) {
            written = memory.write(address + (long) i * RxDescriptor.SIZE + RxDescriptor.QW1, status, (long) i * Long.BYTES, Long.BYTES);
        }
        if (written) {
            events.wroteBack(index, true);
        } else {
            stop(StopReason.RING_UNREACHABLE);
        }
    }

    private void stop(StopReason reason) {
        stopped = reason;
        statistics.stopped(index, true, reason);
    }
}
