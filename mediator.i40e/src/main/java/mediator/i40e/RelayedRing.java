// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import vfio.pci.api.VfioException;
import vfio.pci.api.migration.DirtyLog;

/// A receive ring that is looked at now and then: where its buffers are is remembered from the last look, because the device writes over
/// that when it is done. Guarded by its owner.
final class RelayedRing {
    private static final int QUAD1 = 8;
    private static final long DD = 1;

    private final RingPlace place;
    private final Descriptors descriptors;
    private final long[] addresses;
    private final boolean[] known;
    private int head;
    private int tail;
    private long lost;

    RelayedRing(RingPlace place, int head, Descriptors descriptors) {
        this.place = place;
        this.descriptors = descriptors;
        this.head = head;
        this.tail = head;
        addresses = new long[place.length()];
        known = new boolean[place.length()];
    }

    RingPlace place() {
        return place;
    }

    /// Descriptors that were handed over and done since the look before, so that where their buffers are is not known.
    long lost() {
        return lost;
    }

    /// Looks at what was handed over and what is done since the last time.
    ///
    /// @throws VfioException when the guest's memory cannot be read
    void look(int nextTail, DirtyLog log) throws VfioException {
        if (nextTail >= place.length()) {
            return;
        }
        int length = place.length();
        boolean passed = false;
        while (tail != nextTail) {
            // Its driver had it back before it gave it again.
            done(tail, log);
            descriptors.read(place.base() + (long) tail * Descriptors.BYTES, Descriptors.BYTES);
            known[tail] = (descriptors.quad(QUAD1) & DD) == 0;
            addresses[tail] = descriptors.quad(0);
            if (!known[tail]) {
                lost++;
                log.mark(place.base() + (long) tail * Descriptors.BYTES, Descriptors.BYTES);
            }
            passed |= tail == head;
            tail = (tail + 1) % length;
        }
        int at = passed ? (tail + 1) % length : head;
        for (int left = RingPlace.distance(at, tail, length); left > 0; left--) {
            descriptors.read(place.base() + (long) at * Descriptors.BYTES, Descriptors.BYTES);
            if ((descriptors.quad(QUAD1) & DD) == 0) {
                break;
            }
            done(at, log);
            at = (at + 1) % length;
        }
        head = at;
    }

    /// What is known of the ring was done before: it is used no more.
    void finish(DirtyLog log) {
        for (int i = 0; i < known.length; i++) {
            done(i, log);
        }
    }

    private void done(int index, DirtyLog log) {
        if (known[index]) {
            log.mark(addresses[index], place.bufferBytes());
            log.mark(place.base() + (long) index * Descriptors.BYTES, Descriptors.BYTES);
            known[index] = false;
        }
    }
}
