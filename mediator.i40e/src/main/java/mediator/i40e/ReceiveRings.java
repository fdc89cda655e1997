// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.DirtyLog;

/// The rings that one receive queue has or may have: the one the device has, and those that messages on their way to it describe. Guarded
/// by its owner.
///
/// A tail says what was handed over since the tail before. Where that one is not known, because the queue was enabled or the function reset
/// meanwhile, all descriptors are looked at that do not have the done bit.
final class ReceiveRings {
    /// More than a driver describes between two reports; whoever does more is not followed.
    private static final int MOST = 32;
    /// The same in descriptors, each of which takes 16 bytes here.
    private static final int MOST_DESCRIPTORS = 4 * RingPlace.MOST;

    private static final int UNKNOWN = -1;
    private static final int TAIL_MASK = 0x1FFF;
    private static final int CHUNK = Descriptors.MOST / Descriptors.BYTES;
    private static final int QUAD1 = 8;
    private static final long DD = 1;

    private final List<HandedRing> rings = new ArrayList<>();
    private final Descriptors descriptors;
    private int tail = UNKNOWN;

    ReceiveRings(Descriptors descriptors) {
        this.descriptors = descriptors;
    }

    /// What was written to the tail last, if that is what the device has.
    int tail() {
        return tail;
    }

    /// The queue has, or will have, this ring.
    ///
    /// @return false for one too many
    boolean add(RingPlace place, int now) {
        for (HandedRing ring : rings) {
            if (ring.place().equals(place)) {
                ring.touched(now);
                return true;
            }
        }
        int all = place.length();
        for (HandedRing ring : rings) {
            all += ring.place().length();
        }
        return rings.size() < MOST && all <= MOST_DESCRIPTORS && rings.add(new HandedRing(place, Descriptors.BYTES, now));
    }

    /// The device has this ring, and owns it from head to tail if the queue is enabled.
    ///
    /// @throws VfioException when the guest's memory cannot be read
    void has(QueueContext context, int now, DirtyLog log) throws VfioException {
        RingPlace place = context.receive();
        add(place, now);
        // A tail that was written meanwhile is newer.
        tail = tail == UNKNOWN ? context.receiveTail() : tail;
        for (HandedRing ring : rings) {
            if (context.receiving() && ring.place().equals(place) && tail < place.length()) {
                look(ring, context.receiveHead(), RingPlace.distance(context.receiveHead(), tail, place.length()), true, now, log);
            }
        }
    }

    /// The queue is going to be enabled: the device will own all up to a tail that it knows and that may still change.
    ///
    /// @throws VfioException when the guest's memory cannot be read
    void enabling(int now, DirtyLog log) throws VfioException {
        tail = UNKNOWN;
        for (HandedRing ring : rings) {
            ring.touched(now);
            look(ring, 0, ring.place().length(), true, now, log);
        }
    }

    /// The device's tail is not what was written last.
    void forgetTail() {
        tail = UNKNOWN;
    }

    /// The tail is going to be this.
    ///
    /// @throws VfioException when the guest's memory cannot be read
    void rung(int value, int now, DirtyLog log) throws VfioException {
        int next = value & TAIL_MASK;
        int before = tail;
        tail = next;
        for (HandedRing ring : rings) {
            int length = ring.place().length();
            if (next >= length) {
                // The device stops such a queue.
                continue;
            }
            if (before == UNKNOWN || before >= length) {
                look(ring, 0, length, true, now, log);
            } else {
                look(ring, before, RingPlace.distance(before, next, length), false, now, log);
            }
        }
    }

    /// @param doubtful whether some may have been done already
    private void look(HandedRing ring, int from, int count, boolean doubtful, int now, DirtyLog log) throws VfioException {
        RingPlace place = ring.place();
        for (int done = 0; done < count;) {
            int first = (from + done) % place.length();
            int part = Math.min(Math.min(CHUNK, count - done), place.length() - first);
            descriptors.read(place.base() + (long) first * Descriptors.BYTES, part * Descriptors.BYTES);
            for (int i = 0; i < part; i++) {
                int at = i * Descriptors.BYTES;
                if (doubtful && (descriptors.quad(at + QUAD1) & DD) != 0) {
                    ring.done(first + i, log);
                } else {
                    ring.hand(first + i, descriptors.quad(at), place.bufferBytes(), now, log);
                }
            }
            done += part;
        }
    }

    /// Marks what is outstanding, and lets go what is complete.
    ///
    /// @param context what the device had after the report was begun
    /// @param tailThen what [#tail()] was when it was begun
    /// @param settled whether the device had carried out all messages that were seen before
    /// @param time of the report
    /// @return false when the device uses a ring that nobody told of
    boolean collect(QueueContext context, int tailThen, boolean settled, int time, DirtyLog log) {
        boolean known = !context.receiving();
        for (int i = rings.size() - 1; i >= 0; i--) {
            HandedRing ring = rings.get(i);
            ring.report(log);
            boolean has = ring.place().equals(context.receive());
            if (has && context.receiving()) {
                known = true;
                ring.touched(time);
                if (tailThen != UNKNOWN && tailThen < ring.place().length()) {
                    ring.completed(context.receiveHead(), tailThen, time);
                }
            } else if (settled && ring.unused(time) && !has) {
                rings.remove(i);
            }
        }
        return known;
    }
}
