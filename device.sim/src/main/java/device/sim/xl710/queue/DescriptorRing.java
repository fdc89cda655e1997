// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// What a receive ring and a transmit ring have in common: where it is, whether it goes, its head, its tail register, and the descriptors
/// that were fetched last. Descriptors are fetched in runs, and each word of them is read once.
///
/// Guarded by the queues' lock.
final class DescriptorRing {
    /// Descriptors that are fetched, and written back, at a time.
    static final int WINDOW = 64;
    static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int index;
    private final boolean receive;
    private final int descriptorSize;
    private final Tails tails;
    private final GuestMemory memory;
    private final Statistics statistics;
    private final MemorySegment window;
    private DoorbellTap tap = DoorbellTap.NONE;
    private long base;
    private int length;
    private boolean enabled;
    private StopReason stopped = StopReason.NONE;
    private int head;
    private int windowStart;
    private int windowLength;

    DescriptorRing(int index, boolean receive, Tails tails, GuestMemory memory, Statistics statistics) {
        this.index = index;
        this.receive = receive;
        this.descriptorSize = receive ? RxDescriptor.SIZE : TxDescriptor.SIZE;
        this.tails = tails;
        this.memory = memory;
        this.statistics = statistics;
        this.window = Arena.ofAuto().allocate((long) WINDOW * descriptorSize, 64);
    }

    int index() {
        return index;
    }

    /// Where the descriptors are from now on; a length of 0 is nowhere.
    void place(long address, int descriptors) {
        base = address;
        length = descriptors;
    }

    int length() {
        return length;
    }

    boolean enabled() {
        return enabled;
    }

    void enabled(boolean on) {
        enabled = on;
    }

    /// Whether it is enabled and was not stopped.
    boolean goes() {
        return enabled && stopped == StopReason.NONE;
    }

    StopReason stopped() {
        return stopped;
    }

    /// Does nothing more until it is rewound.
    ///
    /// @return false
    boolean stop(StopReason reason) {
        stopped = reason;
        statistics.stopped(index, receive, reason);
        return false;
    }

    int head() {
        return head;
    }

    void head(int position) {
        head = position;
    }

    /// Starts over at the first descriptor.
    void rewind() {
        restore(StopReason.NONE, 0);
    }

    /// Goes on at a position, or stands where it was stopped.
    void restore(StopReason reason, int position) {
        head = position;
        windowLength = 0;
        stopped = reason;
        statistics.goes(index, receive);
        if (reason != StopReason.NONE) {
            stop(reason);
        }
    }

    /// The position after a position.
    int next(int at) {
        return at + 1 == length ? 0 : at + 1;
    }

    /// Descriptors from one position to another.
    int distance(int from, int to) {
        return RingRules.distance(from, to, length);
    }

    /// What the tail register says; hostile.
    int tail() {
        return tails.get(receive, index);
    }

    void tail(int value) {
        tails.set(receive, index, value);
    }

    /// Whether what [#tail()] just returned does not count.
    boolean halted() {
        return tails.halted();
    }

    void tap(DoorbellTap next) {
        tap = next;
    }

    /// Tells whoever is to be told before descriptors up to this tail are used.
    ///
    /// @param value below the length
    void rung(int value) {
        tap.doorbell(Tails.register(receive, index), value);
    }

    /// Has a descriptor in the window, with those behind it up to the tail or the ring's end.
    ///
    /// @return false when it cannot be reached
    boolean fetch(int at, int tail) {
        if (at >= windowStart && at < windowStart + windowLength) {
            return true;
        }
        int end = at < tail ? tail : length;
        int count = Math.min(WINDOW, end - at);
        windowStart = at;
        windowLength = 0;
        if (!memory.read(address(at), window, 0, count * descriptorSize)) {
            return false;
        }
        windowLength = count;
        return true;
    }

    /// A word of a descriptor that is in the window.
    ///
    /// @param offset in the descriptor
    long word(int at, int offset) {
        return window.get(WORD, (long) (at - windowStart) * descriptorSize + offset);
    }

    /// Where a descriptor is in the guest's memory.
    long address(int at) {
        return base + (long) at * descriptorSize;
    }
}
