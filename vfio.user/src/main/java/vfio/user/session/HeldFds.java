// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import linux.sys.Fd;
import linux.sys.ReceivedFds;

/// Descriptors that came and wait for their message to be handled, each with the place in the byte stream that it came with: the last byte
/// of its receive. The message which holds that byte is the one it belongs to, for a receive never goes on past bytes that brought some.
final class HeldFds {
    private static final long NOWHERE = -1;

    private final Fd[] fds = new Fd[ReceivedFds.CAPACITY];
    private final long[] places = new long[ReceivedFds.CAPACITY];
    private int count;
    private long cutAt = NOWHERE;

    /// Takes in what one receive brought.
    ///
    /// @param place of its last byte
    void add(ReceivedFds received, long place) {
        if (received.truncated() || received.count() > fds.length - count) {
            cutAt = place;
        } else {
            for (int i = 0; i < received.count(); i++) {
                fds[count] = received.take(i);
                places[count++] = place;
            }
        }
        received.clear();
    }

    /// How many belong to the message that ends there.
    int countBefore(long end) {
        int n = 0;
        while (n < count && places[n] < end) {
            n++;
        }
        return n;
    }

    /// Whether that message brought more than could be had.
    boolean cutBefore(long end) {
        return cutAt != NOWHERE && cutAt < end;
    }

    /// Moves those of the message that ends there to another holder.
    void moveBefore(long end, HeldFds to) {
        if (cutBefore(end)) {
            to.cutAt = 0;
            cutAt = NOWHERE;
        }
        while (count > 0 && places[0] < end) {
            to.places[to.count] = 0;
            to.fds[to.count++] = takeFirst();
        }
    }

    /// Takes back what [#moveBefore] moved away, for the message that has a byte at that place.
    void putBack(HeldFds from, long place) {
        if (from.isCut()) {
            cutAt = place;
            from.cutAt = NOWHERE;
        }
        int back = from.count;
        System.arraycopy(fds, 0, fds, back, count);
        System.arraycopy(places, 0, places, back, count);
        for (int i = 0; i < back; i++) {
            fds[i] = from.takeFirst();
            places[i] = place;
        }
        count += back;
    }

    /// Moves all to another holder that is empty.
    void moveAll(HeldFds to) {
        while (count > 0) {
            to.places[to.count] = places[0];
            to.fds[to.count++] = takeFirst();
        }
        to.cutAt = cutAt;
        cutAt = NOWHERE;
    }

    /// Bytes before that place were taken out of the stream: what follows has moved.
    void shift(long from, long by) {
        for (int i = 0; i < count; i++) {
            if (places[i] >= from) {
                places[i] -= by;
            }
        }
        if (cutAt >= from) {
            cutAt -= by;
        }
    }

    int count() {
        return count;
    }

    boolean isCut() {
        return cutAt != NOWHERE;
    }

    /// Closes what is left and forgets that some were cut.
    void clear() {
        closeAll();
        cutAt = NOWHERE;
    }

    /// All of them; they stay in here.
    List<Fd> list() {
        return List.copyOf(Arrays.asList(fds).subList(0, count));
    }

    /// Those of the message from here to there; they stay in here.
    List<Fd> listWithin(long from, long end) {
        List<Fd> its = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            if (places[i] >= from && places[i] < end) {
                its.add(fds[i]);
            }
        }
        return its;
    }

    /// Hands over the first.
    Fd takeFirst() {
        Fd first = fds[0];
        count--;
        System.arraycopy(fds, 1, fds, 0, count);
        System.arraycopy(places, 1, places, 0, count);
        fds[count] = null;
        return first;
    }

    /// Closes what is left of the message that ends there.
    void closeBefore(long end) {
        while (count > 0 && places[0] < end) {
            takeFirst().close();
        }
        if (cutBefore(end)) {
            cutAt = NOWHERE;
        }
    }

    /// Closes those of the message from here to there, which is taken out.
    void closeWithin(long from, long end) {
        int left = 0;
        for (int i = 0; i < count; i++) {
            if (places[i] >= from && places[i] < end) {
                fds[i].close();
            } else {
                fds[left] = fds[i];
                places[left++] = places[i];
            }
        }
        while (count > left) {
            fds[--count] = null;
        }
        if (cutAt >= from && cutAt < end) {
            cutAt = NOWHERE;
        }
    }

    void closeAll() {
        closeBefore(Long.MAX_VALUE);
    }
}
