// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.Arrays;
import vfio.pci.api.migration.DirtyLog;

/// A ring whose descriptors give buffers to the device to be written: what each said when it was handed over, for as long as the device is
/// not known to be done with it. Guarded by its owner.
///
/// Times are those of reports: a descriptor that was handed over before a report was begun, and that the device has done according to what
/// was read after that, is known to be complete.
final class HandedRing {
    private static final int NONE = -1;
    private static final int BUSY = -1;

    private final RingPlace place;
    private final int descriptorBytes;
    private final long[] addresses;
    /// What may be written there, or [#NONE] for a descriptor that is not the device's.
    private final int[] sizes;
    private final int[] handedAt;
    private int outstanding;
    private int touchedAt;
    private int idleSince = BUSY;

    HandedRing(RingPlace place, int descriptorBytes, int now) {
        this.place = place;
        this.descriptorBytes = descriptorBytes;
        addresses = new long[place.length()];
        sizes = new int[place.length()];
        handedAt = new int[place.length()];
        Arrays.fill(sizes, NONE);
        touchedAt = now;
    }

    RingPlace place() {
        return place;
    }

    /// Something was done to the queue by which the device may use this ring.
    void touched(int now) {
        touchedAt = now;
        idleSince = BUSY;
    }

    /// A descriptor is handed over. One that was handed over before and says something else now was complete: its driver had it back.
    void hand(int index, long address, int bytes, int now, DirtyLog log) {
        if (sizes[index] != NONE && (addresses[index] != address || sizes[index] != bytes)) {
            mark(index, log);
        }
        if (sizes[index] == NONE) {
            outstanding++;
        }
        addresses[index] = address;
        sizes[index] = bytes;
        handedAt[index] = now;
        touched(now);
    }

    /// A descriptor was found to be done.
    void done(int index, DirtyLog log) {
        if (sizes[index] != NONE) {
            mark(index, log);
            drop(index);
        }
    }

    /// Everything that is outstanding may have been written.
    void report(DirtyLog log) {
        for (int i = 0; outstanding > 0 && i < sizes.length; i++) {
            if (sizes[i] != NONE) {
                mark(i, log);
            }
        }
    }

    /// The device has done what is not from head to tail. To be told after [#report].
    ///
    /// @param tail how far was handed over at that time
    /// @param time of the report
    void completed(int head, int tail, int time) {
        int left = RingPlace.distance(head, tail, sizes.length);
        for (int i = 0; outstanding > 0 && i < sizes.length; i++) {
            if (sizes[i] != NONE && handedAt[i] < time && RingPlace.distance(head, i, sizes.length) >= left) {
                drop(i);
            }
        }
    }

    /// The device was found not to use the ring. What it was doing when it was told to leave may end a little later: it is believed when it
    /// is found so twice. To be told after [#report].
    ///
    /// @param time of the report
    /// @return whether nothing is left to be known of it
    boolean unused(int time) {
        if (touchedAt >= time) {
            return false;
        }
        if (idleSince == BUSY) {
            idleSince = time;
            return false;
        }
        Arrays.fill(sizes, NONE);
        outstanding = 0;
        return true;
    }

    private void drop(int index) {
        sizes[index] = NONE;
        outstanding--;
    }

    private void mark(int index, DirtyLog log) {
        log.mark(addresses[index], sizes[index]);
        log.mark(place.base() + (long) index * descriptorBytes, descriptorBytes);
    }
}
