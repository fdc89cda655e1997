// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.migration.DirtyLog;

/// The rings that one transmit queue, or the mailbox's queue for commands, has or may have. The device writes into the descriptors that it
/// reports as done, and no tail says when: a ring is marked as a whole for as long as the device may use it. It is a page for each 256
/// packets that can be under way. Guarded by its owner.
final class TransmitRings {
    /// More than a driver describes between two reports; whoever does more is not followed.
    private static final int MOST = 32;

    private final List<Used> rings = new ArrayList<>();
    private final int descriptorBytes;

    /// A ring, and whether the device uses it.
    private static final class Used {
        private final RingPlace place;
        private boolean used;
        private int usedAt;
        private int idleReports;

        Used(RingPlace place) {
            this.place = place;
        }
    }

    TransmitRings(int descriptorBytes) {
        this.descriptorBytes = descriptorBytes;
    }

    /// The queue has, or will have, this ring.
    ///
    /// @return false for one too many
    boolean add(RingPlace place, int now) {
        for (Used ring : rings) {
            if (ring.place.equals(place)) {
                ring.usedAt = now;
                ring.idleReports = 0;
                return true;
            }
        }
        if (rings.size() == MOST) {
            return false;
        }
        Used added = new Used(place);
        added.usedAt = now;
        return rings.add(added);
    }

    /// The queue is going to be enabled.
    void enabling(int now) {
        for (Used ring : rings) {
            ring.used = true;
            ring.usedAt = now;
            ring.idleReports = 0;
        }
    }

    /// Marks what the device may have written, and lets go what it uses no more.
    ///
    /// @param place where the device had the ring after the report was begun
    /// @param enabled whether it used it
    /// @param settled whether the device had carried out all messages that were seen before
    /// @param time of the report
    /// @return false when the device uses a ring that nobody told of
    boolean collect(RingPlace place, boolean enabled, boolean settled, int time, DirtyLog log) {
        boolean known = !enabled;
        for (int i = rings.size() - 1; i >= 0; i--) {
            Used ring = rings.get(i);
            boolean has = ring.place.equals(place);
            if (has && enabled) {
                known = true;
                ring.used = true;
                ring.idleReports = 0;
            } else if (settled && ring.usedAt < time) {
                ring.idleReports++;
            }
            if (ring.used) {
                log.mark(ring.place.base(), (long) ring.place.length() * descriptorBytes);
            }
            if (ring.idleReports > 1) {
                // Found idle twice: what it was doing when it was told to leave has ended before the first time.
                ring.used = false;
                if (!has) {
                    rings.remove(i);
                }
            }
        }
        return known;
    }
}
