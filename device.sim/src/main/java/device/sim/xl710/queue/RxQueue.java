// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import static device.sim.xl710.queue.DescriptorRing.WINDOW;
import static device.sim.xl710.queue.DescriptorRing.WORD;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/// A receive ring: writes frames into the buffers from head to tail, and writes the descriptors back in runs and in ring order, each one's
/// second quadword, which has the done bit, after everything else.
///
/// Guarded by the queues' lock.
final class RxQueue extends ConfiguredQueue<RxSettings> {
    /// Most descriptors of a frame.
    static final int MOST_BUFFERS = 5;

    /// What became of a frame.
    enum Outcome {
        /// It is in memory.
        DELIVERED,
        /// It was dropped.
        DROPPED,
        /// There are no descriptors for it now.
        NO_DESCRIPTORS
    }

    private final GuestMemory memory;
    private final QueueEvents events;
    private final MemorySegment back = Arena.ofAuto().allocate(WINDOW * RxDescriptor.SIZE, 64);
    private final MemorySegment status = Arena.ofAuto().allocate(WINDOW * Long.BYTES, 64);
    /// The last tail that was good.
    private int tail;
    private int backStart;
    private int backLength;
    /// A frame waits for descriptors.
    private boolean starving;

    RxQueue(int index, Tails tails, GuestMemory memory, QueueEvents events, Statistics statistics) {
        super(new DescriptorRing(index, true, tails, memory, statistics), RxSettings.NONE);
        this.memory = memory;
        this.events = events;
    }

    /// Whether frames can be delivered here.
    boolean receives() {
        return ring.goes();
    }

    /// Takes over what another had.
    void restore(RxSettings next, boolean on, StopReason reason, int position) {
        place(next);
        ring.enabled(on);
        restart(reason, position);
    }

    @Override
    void rewind() {
        restart(StopReason.NONE, 0);
    }

    private void restart(StopReason reason, int position) {
        ring.restore(reason, position);
        tail = position;
        backLength = 0;
        starving = false;
    }

    /// Only a frame that waits makes a tail matter.
    boolean rung() {
        return receives() && starving && ring.tail() != tail && !ring.halted();
    }

    int index() {
        return ring.index();
    }

    /// Writes a frame into the buffers at the head.
    ///
    /// @param qw0 first quadword of the last descriptor
    /// @param qw1 second quadword of the last descriptor, without its length
    Outcome deliver(MemorySegment source, long frame, int length, long qw0, long qw1) {
        int size = settings().bufferSize();
        int needed = (length + size - 1) / size;
        if (length > settings().maxPacket() || needed > MOST_BUFFERS) {
            return Outcome.DROPPED;
        }
        if (available() < needed && !lookAtTail(needed)) {
            return ring.stopped() == StopReason.NONE ? Outcome.NO_DESCRIPTORS : Outcome.DROPPED;
        }
        starving = false;
        for (int done = 0; done < length;) {
            int part = Math.min(size, length - done);
            boolean last = done + part == length;
            if (!ring.fetch(ring.head(), tail)) {
                ring.stop(StopReason.RING_UNREACHABLE);
                return Outcome.DROPPED;
            }
            if (!memory.write(ring.word(ring.head(), 0), source, frame + done, part)) {
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
        return ring.distance(ring.head(), tail);
    }

    private boolean lookAtTail(int needed) {
        int now = ring.tail();
        if (now != tail && !ring.halted()) {
            if (now >= settings().length()) {
                return ring.stop(StopReason.BAD_TAIL);
            }
            ring.rung(now);
            tail = now;
        }
        starving = available() < needed;
        return !starving;
    }

    private void writeBack(long qw0, long qw1, int length) {
        if (backLength == 0) {
            backStart = ring.head();
        }
        long slot = (long) backLength * RxDescriptor.SIZE;
        back.set(WORD, slot, qw0);
        back.set(WORD, slot + 8, 0);
        back.set(WORD, slot + 16, 0);
        back.set(WORD, slot + 24, 0);
        status.set(WORD, (long) backLength * Long.BYTES, qw1 | RxDescriptor.DD | RxDescriptor.length(length));
        backLength++;
        ring.head(ring.next(ring.head()));
        if (backLength == WINDOW || ring.head() == 0) {
            flush();
        }
    }

    /// Writes back what was staged. Descriptors belong to the driver from their own second quadword on.
    void flush() {
        int count = backLength;
        backLength = 0;
        if (count == 0 || ring.stopped() != StopReason.NONE) {
            return;
        }
        long address = ring.address(backStart);
        boolean written = memory.write(address, back, 0, count * RxDescriptor.SIZE);
        // A driver that sees a done bit sees the frame and the rest of the descriptor.
        VarHandle.releaseFence();
        for (int i = 0; written && i < count; i++) {
            written = memory.write(address + (long) i * RxDescriptor.SIZE + RxDescriptor.QW1, status, (long) i * Long.BYTES, Long.BYTES);
        }
        if (written) {
            events.wroteBack(ring.index(), true);
        } else {
            ring.stop(StopReason.RING_UNREACHABLE);
        }
    }
}
