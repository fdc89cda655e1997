// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// Accesses on their way to the log: a ring of numbers that many threads fill and one empties, without a lock and with nothing allocated.
/// What does not fit is counted. Each slot carries the turn it is ready for: its position when it is empty, one more when it is filled.
final class SeenAccesses {
    private static final int SLOTS = 1024;

    /// Who is shown what was seen.
    interface Reader {
        void seen(RuleUse use, Direction access, long offset, int count, long value);
    }

    private final AtomicLongArray turns = new AtomicLongArray(SLOTS);
    private final RuleUse[] uses = new RuleUse[SLOTS];
    private final boolean[] writes = new boolean[SLOTS];
    private final long[] offsets = new long[SLOTS];
    private final int[] counts = new int[SLOTS];
    private final long[] values = new long[SLOTS];
    private final AtomicLong added = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();
    /// The emptying thread's own.
    private long taken;

    SeenAccesses() {
        for (int i = 0; i < SLOTS; i++) {
            turns.set(i, i);
        }
    }

    /// Adds one. Any thread.
    void add(RuleUse use, Direction access, long offset, int count, long value) {
        while (true) {
            long turn = added.get();
            int slot = (int) (turn & SLOTS - 1);
            long ready = turns.get(slot);
            if (ready < turn) {
                lose();
                return;
            }
            if (ready == turn && added.compareAndSet(turn, turn + 1)) {
                uses[slot] = use;
                writes[slot] = access == Direction.WRITE;
                offsets[slot] = offset;
                counts[slot] = count;
                values[slot] = value;
                turns.set(slot, turn + 1);
                return;
            }
        }
    }

    /// Shows the oldest and takes it out. One thread.
    ///
    /// @return false when there is none
    boolean take(Reader reader) {
        int slot = (int) (taken & SLOTS - 1);
        if (turns.get(slot) != taken + 1) {
            return false;
        }
        RuleUse use = uses[slot];
        Direction access = writes[slot] ? Direction.WRITE : Direction.READ;
        long offset = offsets[slot];
        int count = counts[slot];
        long value = values[slot];
        uses[slot] = null;
        turns.set(slot, taken + SLOTS);
        taken++;
        reader.seen(use, access, offset, count, value);
        return true;
    }

    /// Counts something that was not added as one that did not fit. Any thread.
    void lose() {
        lost.incrementAndGet();
    }

    /// How many did not fit since this was asked last.
    long takeLost() {
        return lost.getAndSet(0);
    }
}
