// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.ReentrantLock;

/// Frames on their way from any number of threads to one. Bounded, and all its memory is there from the start; a frame that does not fit is
/// refused.
///
/// A record is a length, a tag and a word of the sender's, room for a tag, the frame, room for a frame check sequence; records do not wrap.
/// The lock is held for the copy of a frame, and by senders alone: the receiver works with the two positions.
public final class FrameRing {
    /// Position of nothing.
    public static final long NONE = -1;

    private static final int LENGTH = 0;
    private static final int TAG = 4;
    private static final int NOTE = 8;
    private static final int FRAME = 16 + 8;
    private static final int TRAILER = 4;
    private static final int ALIGNMENT = 16;
    private static final int SKIP = -1;

    private final MemorySegment memory;
    private final long capacity;
    private final ReentrantLock senders = new ReentrantLock();
    private volatile long head;
    private volatile long tail;

    /// An empty ring.
    ///
    /// @param capacity bytes, a power of two; a frame of less than half of it fits always when the ring is empty
    public FrameRing(int capacity) {
        if (Integer.bitCount(capacity) != 1 || capacity < ALIGNMENT) {
            throw new IllegalArgumentException("capacity=0x%x expected=a power of two from 0x%x".formatted(capacity, ALIGNMENT));
        }
        this.capacity = capacity;
        this.memory = Arena.ofAuto().allocate(capacity, ALIGNMENT);
    }

    /// Puts a frame in. May be called by any thread; waits for no longer than others copy a frame.
    ///
    /// @param tag control information, or [Ethernet#UNTAGGED]
    /// @param note comes out with the frame
    /// @return whether there was room
    public boolean offer(MemorySegment source, long frame, int length, int tag, long note) {
        long size = size(length);
        senders.lock();
        try {
            long at = tail;
            long untilEnd = capacity - (at & capacity - 1);
            long needed = size <= untilEnd ? size : untilEnd + size;
            if (needed > capacity - (at - head)) {
                return false;
            }
            if (size > untilEnd) {
                memory.set(ValueLayout.JAVA_INT, at & capacity - 1, SKIP);
                at += untilEnd;
            }
            long record = at & capacity - 1;
            memory.set(ValueLayout.JAVA_INT, record + LENGTH, length);
            memory.set(ValueLayout.JAVA_INT, record + TAG, tag);
            memory.set(ValueLayout.JAVA_LONG, record + NOTE, note);
            MemorySegment.copy(source, frame, memory, record + FRAME, length);
            tail = at + size;
        } finally {
            senders.unlock();
        }
        return true;
    }

    /// Where the oldest frame's record is, or [#NONE]. For the receiver.
    public long first() {
        long at = head;
        if (at == tail) {
            return NONE;
        }
        if (memory.get(ValueLayout.JAVA_INT, at & capacity - 1) == SKIP) {
            at += capacity - (at & capacity - 1);
            head = at;
            // What skips is followed by a record: both became visible at once.
        }
        return at & capacity - 1;
    }

    /// The memory in which the frames are.
    public MemorySegment memory() {
        return memory;
    }

    /// Bytes of the frame of a record.
    public int length(long record) {
        return memory.get(ValueLayout.JAVA_INT, record + LENGTH);
    }

    /// The frame's tag, or [Ethernet#UNTAGGED].
    public int tag(long record) {
        return memory.get(ValueLayout.JAVA_INT, record + TAG);
    }

    /// What the sender noted.
    public long note(long record) {
        return memory.get(ValueLayout.JAVA_LONG, record + NOTE);
    }

    /// Notes something else, for the receiver to find again.
    public void note(long record, long note) {
        memory.set(ValueLayout.JAVA_LONG, record + NOTE, note);
    }

    /// Where the frame starts in the memory. There is room for a tag before it and for a frame check sequence behind it.
    public long frame(long record) {
        return record + FRAME;
    }

    /// Gives the oldest record's memory back to the senders. For the receiver.
    public void release(long record) {
        head = head + size(length(record));
    }

    private static long size(int length) {
        return FRAME + length + TRAILER + (ALIGNMENT - 1) & -ALIGNMENT;
    }

    /// Whether there is nothing in it.
    public boolean isEmpty() {
        return head == tail;
    }
}
