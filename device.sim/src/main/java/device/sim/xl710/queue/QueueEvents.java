// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/// Which queue reports to which vector, and what is yet to be reported: a bit for each receive queue, and above them one for each transmit
/// queue. Thread-safe.
final class QueueEvents {
    private static final int NOT_MAPPED = -1;

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
        int told = 0;
        int causes = 0;
        for (int slot = 0; slot < vectors.length(); slot++) {
            int vector = vectors.get(slot);
            if ((slots & 1 << slot) == 0 || vector == NOT_MAPPED) {
                continue;
            }
            if (vector == 0) {
                causes |= 1 << slot % QueuePairs.PAIRS;
            } else if ((told & 1 << vector) == 0) {
                told |= 1 << vector;
                interrupts.event(vector);
            }
        }
        if (causes != 0) {
            interrupts.causes(causes);
        }
        reporting = 0;
        return true;
    }

    private static int slot(int queue, boolean receive) {
        return receive ? queue : QueuePairs.PAIRS + queue;
    }
}
