// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/// Which queue reports to which vector, and what is yet to be reported: a bit for each receive queue, and above them one for each transmit
/// queue. Thread-safe.
final class QueueEvents {
    private static final int NOT_MAPPED = -1;
    /// The throttling index that stands for none.
    private static final int NO_INDEX = 3;

    private final QueueInterrupts interrupts;
    private final AtomicIntegerArray vectors = new AtomicIntegerArray(2 * QueuePairs.PAIRS);
    private final AtomicIntegerArray throttling = new AtomicIntegerArray(2 * QueuePairs.PAIRS);
    private final AtomicInteger owed = new AtomicInteger();
    /// Taken from what is owed, and not reported for certain yet.
    private volatile int reporting;

    QueueEvents(QueueInterrupts interrupts) {
        this.interrupts = interrupts;
        reset();
    }

    void reset() {
        owed.set(0);
        for (int i = 0; i < vectors.length(); i++) {
            vectors.set(i, NOT_MAPPED);
            throttling.set(i, 0);
        }
    }

    boolean map(int queue, boolean receive, int vector, int itrIndex) {
        vectors.set(slot(queue, receive), vector);
        throttling.set(slot(queue, receive), itrIndex);
        return true;
    }

    int vector(int slot) {
        return vectors.get(slot);
    }

    int throttling(int slot) {
        return throttling.get(slot);
    }

    void restore(int slot, int vector, int itrIndex) {
        vectors.set(slot, vector);
        throttling.set(slot, itrIndex);
    }

    /// A queue wrote back.
    void wroteBack(int queue, boolean receive) {
        int bit = 1 << slot(queue, receive);
        if ((owed.get() & bit) == 0) {
            owed.accumulateAndGet(bit, (bits, more) -> bits | more);
        }
    }

    /// What was not reported, or perhaps not. An event too many does no harm, one too few does.
    int unreported() {
        return owed.get() | reporting;
    }

    void owe(int slots) {
        owed.set(slots);
    }

    /// Reports what is owed, each vector once. For the engine's thread, without a lock.
    ///
    /// @return whether there was any
    boolean report() {
        int slots = owed.get();
        if (slots == 0) {
            return false;
        }
        reporting = slots;
        owed.accumulateAndGet(slots, (bits, taken) -> bits & ~taken);
        int left = slots;
        while (left != 0) {
            int vector = vectors.get(Integer.numberOfTrailingZeros(left));
            int same = Integer.lowestOneBit(left) | sameVector(left, vector);
            left &= ~same;
            if (vector != NOT_MAPPED) {
                report(vector, same);
            }
        }
        reporting = 0;
        return true;
    }

    /// Those of the slots that are mapped to a vector.
    private int sameVector(int slots, int vector) {
        int same = 0;
        for (int left = slots; left != 0; left &= left - 1) {
            if (vectors.get(Integer.numberOfTrailingZeros(left)) == vector) {
                same |= Integer.lowestOneBit(left);
            }
        }
        return same;
    }

    private void report(int vector, int slots) {
        int indices = 0;
        for (int left = slots; left != 0; left &= left - 1) {
            indices |= 1 << Math.min(throttling.get(Integer.numberOfTrailingZeros(left)), NO_INDEX);
        }
        if (vector == 0) {
            interrupts.causes((slots | slots >>> QueuePairs.PAIRS) & (1 << QueuePairs.PAIRS) - 1, indices);
        } else {
            interrupts.event(vector, indices);
        }
    }

    private static int slot(int queue, boolean receive) {
        return receive ? queue : QueuePairs.PAIRS + queue;
    }
}
