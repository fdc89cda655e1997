// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.loop.PollLoop;

/// How a connection that has a thread to itself waits for the client: in the receive.
///
/// Before that it tries to receive for a while without waiting, if the loop says so: a client on another processor
/// that answers at once is served without either end going to sleep. Each try in vain doubles the number of waits that are not preceded by
/// one, up to [#LONGEST_PAUSE], and one that succeeds makes it zero, so that a client which is slow, or on the same processor, costs no
/// time.
final class Waits {
    private static final Logger LOG = System.getLogger(Waits.class.getName());
    private static final int EAGAIN = -Errno.EAGAIN.value();
    private static final Duration LONGEST = Duration.ofMillis(4);
    /// So many waits without a message, and the poll set is the better place: a fifth of a second. On a machine that is busy with other
    /// things a client often does not come to it for a while.
    private static final int WAITS_IN_VAIN = 50;
    private static final int LONGEST_PAUSE = 4096;

    private final PollLoop loop;
    private boolean bounded;
    private int pause = 1;
    /// Waits until the next try.
    private int left;
    private int inVain;

    /// @param loop says how long to try
    Waits(PollLoop loop) {
        this.loop = loop;
    }

    /// Sees to it that a wait ends by itself, and that an answer mostly fits the socket as it is.
    void prepare(UnixSocket socket) {
        try {
            socket.setTimeout(LONGEST);
            bounded = true;
            socket.setSendBuffer(Buffers.LONGEST_MESSAGE);
        } catch (VfioException e) {
            LOG.log(Level.WARNING, "a client''s socket stays as it is: {0}", e.getMessage());
        }
    }

    /// Whether a wait ends by itself.
    boolean areBounded() {
        return bounded;
    }

    /// Waits until something was received, or a wait has ended in vain. Hot.
    ///
    /// @return false when nothing will come, or nothing has come for a long time
    boolean receive(Inbound in, UnixSocket socket) {
        int count = EAGAIN;
        long tryNanos = loop.tryNanos();
        if (tryNanos > 0 && left-- <= 0) {
            count = tryFor(in, socket, tryNanos);
            pause = count == EAGAIN ? Math.min(2 * pause, LONGEST_PAUSE) : 1;
            left = count == EAGAIN ? pause : 0;
        }
        if (count == EAGAIN) {
            count = in.receive(socket, true);
        }
        inVain = count == EAGAIN ? inVain + 1 : 0;
        return count > 0 || inVain > 0 && inVain < WAITS_IN_VAIN;
    }

    private static int tryFor(Inbound in, UnixSocket socket, long nanos) {
        long from = System.nanoTime();
        int count;
        do {
            count = in.receive(socket);
        } while (count == EAGAIN && System.nanoTime() - from < nanos);
        return count;
    }
}
