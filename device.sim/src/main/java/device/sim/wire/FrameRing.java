// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.ReentrantLock;

/// Frames on their way from any number of threads to one. Bounded, and all its memory is there from the start; a frame that does not fit is
/// refused.
///
/// A record is a length, a tag and a word of the sender's, room for a tag, the frame, room for a frame check sequence; records do not
/// wrap. The lock is held for the copy of a frame or of a few, and by senders alone: the receiver works with the two positions.
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
    /// Least capacity.
    static final int LEAST = ALIGNMENT;

    /// Positions stand two cache lines apart: what senders write and what the receiver does would take the line from each other.
    private static final int APART = 128;
    /// Up to where the receiver is done, and up to where senders are.
    private static final long HEAD = 0;
    private static final long TAIL = APART;
    /// The senders' own: up to where records are made, and the head as they saw it last.
    private static final long MADE = 2 * APART;
    private static final long HEAD_SEEN = MADE + Long.BYTES;
    /// The receiver's own: up to where it took records, and the tail as it saw it last.
    private static final long TAKEN = 3 * APART;
    private static final long TAIL_SEEN = TAKEN + Long.BYTES;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final VarHandle POSITION = LONG.varHandle();

    private final MemorySegment positions = Arena.ofAuto().allocate(4 * APART, APART);
    private final MemorySegment memory;
    private final long capacity;
    private final ReentrantLock senders = new ReentrantLock();

    /// An empty ring.
    ///
    /// @param capacity bytes, a power of two; a frame of less than half of it fits always when the ring is empty
    public FrameRing(int capacity) {
        if (Integer.bitCount(capacity) != 1 || capacity < LEAST) {
            throw new IllegalArgumentException("capacity=0x%x expected=a power of two from 0x%x".formatted(capacity, LEAST));
        }
        this.capacity = capacity;
        this.memory = Arena.ofAuto().allocate(capacity, ALIGNMENT);
    }

    /// Puts a frame in. May be called by any thread; waits for no longer than others copy their frames.
    ///
    /// @param tag control information, or [Ethernet#UNTAGGED]
    /// @param note comes out with the frame
    /// @return whether there was room
    public boolean offer(MemorySegment source, long frame, int length, int tag, long note) {
        begin();
        try {
            return put(source, frame, length, tag, note);
        } finally {
            end();
        }
    }

    /// Keeps other senders out until [#end()].
    void begin() {
        senders.lock();
    }

    /// Has the receiver see what was put in, and lets others in.
    void end() {
        POSITION.setRelease(positions, TAIL, positions.get(LONG, MADE));
        senders.unlock();
    }

    /// Puts a frame in, to be seen after [#end()].
    ///
    /// @return whether there was room
    boolean put(MemorySegment source, long frame, int length, int tag, long note) {
        long at = positions.get(LONG, MADE);
        long size = size(length);
        long untilEnd = capacity - (at & capacity - 1);
        long needed = size <= untilEnd ? size : untilEnd + size;
        if (needed > capacity - (at - positions.get(LONG, HEAD_SEEN))) {
            long head = (long) POSITION.getAcquire(positions, HEAD);
            positions.set(LONG, HEAD_SEEN, head);
            if (needed > capacity - (at - head)) {
                return false;
            }
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
        positions.set(LONG, MADE, at + size);
        return true;
    }

    /// Where the oldest record is that was not taken, or [#NONE]. For the receiver.
    public long first() {
        long at = positions.get(LONG, TAKEN);
        if (at == positions.get(LONG, TAIL_SEEN)) {
            long tail = (long) POSITION.getAcquire(positions, TAIL);
            positions.set(LONG, TAIL_SEEN, tail);
            if (at == tail) {
                return NONE;
            }
        }
        if (memory.get(ValueLayout.JAVA_INT, at & capacity - 1) == SKIP) {
            at += capacity - (at & capacity - 1);
            positions.set(LONG, TAKEN, at);
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

    /// Takes the oldest record, whose memory stays the receiver's until [#release()].
    public void take(long record) {
        positions.set(LONG, TAKEN, positions.get(LONG, TAKEN) + size(length(record)));
    }

    /// Up to where records were taken, for [#untake].
    public long taken() {
        return positions.get(LONG, TAKEN);
    }

    /// Has records be there again that were taken since.
    ///
    /// @param position as [#taken()] said after the last release, or later
    public void untake(long position) {
        positions.set(LONG, TAKEN, position);
    }

    /// Gives the memory of what was taken back to the senders.
    public void release() {
        POSITION.setRelease(positions, HEAD, positions.get(LONG, TAKEN));
    }

    /// Takes the oldest record and gives its memory back.
    public void release(long record) {
        take(record);
        release();
    }

    private static long size(int length) {
        return FRAME + length + TRAILER + (ALIGNMENT - 1) & -ALIGNMENT;
    }

    /// Whether there is nothing in it that was not released.
    public boolean isEmpty() {
        return (long) POSITION.getAcquire(positions, HEAD) == (long) POSITION.getAcquire(positions, TAIL);
    }
}
