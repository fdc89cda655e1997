// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicIntegerArray;

/// What is known of the tails that hand memory to the device, from the writes seen since tracking began: where dirty tracking by trapped
/// doorbells starts. A tail that was written in parts, or before a reset, is not known.
///
/// Thread-safe; each tail is an atomic word of its own, and nothing is allocated.
final class TailTracking {
    private static final int UNKNOWN = -1;
    private static final int MAILBOX = VfRegister.QRX_TAIL1.count();

    private final AtomicIntegerArray tails = new AtomicIntegerArray(MAILBOX + 1);

    TailTracking() {
        forget();
    }

    /// A write of a tail as a whole.
    void receiveTail(int queue, int value) {
        tails.set(queue, value & Integer.MAX_VALUE);
    }

    /// A write of the mailbox's tail as a whole.
    void mailboxTail(int value) {
        tails.set(MAILBOX, value & Integer.MAX_VALUE);
    }

    /// The tail of this queue changed in a way that was not understood.
    void unknownReceiveTail(int queue) {
        tails.set(queue, UNKNOWN);
    }

    /// The mailbox's tail changed in a way that was not understood.
    void unknownMailboxTail() {
        tails.set(MAILBOX, UNKNOWN);
    }

    /// The device was reset: its tails are not what was written.
    void forget() {
        for (int i = 0; i < tails.length(); i++) {
            tails.set(i, UNKNOWN);
        }
    }

    /// What was last written to a queue's tail.
    OptionalInt lastReceiveTail(int queue) {
        return last(queue);
    }

    /// What was last written to the mailbox's tail.
    OptionalInt lastMailboxTail() {
        return last(MAILBOX);
    }

    private OptionalInt last(int index) {
        int tail = tails.get(index);
        return tail == UNKNOWN ? OptionalInt.empty() : OptionalInt.of(tail);
    }
}
