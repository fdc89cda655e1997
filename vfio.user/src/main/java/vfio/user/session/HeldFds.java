// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

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

    /// Those of the message that ends there; they stay in here.
    List<Fd> listBefore(long end) {
        return List.copyOf(Arrays.asList(fds).subList(0, countBefore(end)));
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

    void closeAll() {
        closeBefore(Long.MAX_VALUE);
    }
}
