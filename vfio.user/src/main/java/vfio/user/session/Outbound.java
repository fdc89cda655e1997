// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.user.command.Exchange;
import vfio.user.trace.Tap;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.trace.TraceRecord;

/// The one answer on its way. It goes out in one piece, so that no header is ever split; what the socket does not take at once waits here.
final class Outbound {
    /// What became of an answer.
    enum Sent {
        /// It is out.
        ALL,
        /// There is no room for the rest of it now.
        BLOCKED,
        /// Nobody is there any more.
        BROKEN
    }

    /// Where the payload is.
    static final int PAYLOAD = HeaderLayout.BYTES;

    private static final int EAGAIN = -Errno.EAGAIN.value();

    private final MemorySegment buffer;
    private final Tap tap;
    private final int[] numbers = new int[Exchange.MAX_MSG_FDS];
    /// What goes along.
    private final OwnedFd[] fds = new OwnedFd[Exchange.MAX_MSG_FDS];
    private int fdCount;
    /// Whether who watches has seen it; not before it is sent, for it may be discarded.
    private boolean shown;
    private int sent;
    private int size;

    Outbound(MemorySegment buffer, Tap tap) {
        this.buffer = buffer;
        this.tap = tap;
    }

    MemorySegment buffer() {
        return buffer;
    }

    /// Has a descriptor go with the answer that is being written, behind those that do already.
    void attach(OwnedFd lent) {
        fds[fdCount++] = lent;
    }

    /// Forgets the answer that was being written.
    void drop() {
        fdCount = 0;
    }

    /// The answer is written: this is its header.
    void reply(int msgId, int command, int payloadSize) {
        start(msgId, command, HeaderLayout.BYTES + payloadSize, HeaderLayout.F_TYPE_REPLY, 0);
    }

    /// The answer is written up to `structure` bytes of payload, and the rest of it is in memory that is somebody else's from the return
    /// on: sends it, and keeps what the socket does not take at once. Nobody who watches sees it.
    void replyLent(UnixSocket socket, int msgId, int command, int structure, MemorySegment memory, long at, int count) {
        reply(msgId, command, structure + count);
        shown = true;
        int head = PAYLOAD + structure;
        sent = Math.max(0, socket.send2(buffer, 0, head, memory, at, count, false));
        int done = Math.max(0, sent - head);
        MemorySegment.copy(memory, at + done, buffer, (long) head + done, count - done);
    }

    /// A command of the server is written instead: this is its header.
    void command(int msgId, int command, int payloadSize) {
        start(msgId, command, HeaderLayout.BYTES + payloadSize, HeaderLayout.F_TYPE_COMMAND, 0);
    }

    /// Whether something is out, but not all.
    boolean isHalfOut() {
        return sent > 0 && sent < size;
    }

    /// Whether something is not out yet.
    boolean isWaiting() {
        return sent < size;
    }

    /// Forgets the answer, none of which is out.
    void discard() {
        drop();
        sent = 0;
        size = 0;
    }

    /// The answer is an error: the header alone. The one place where an errno becomes bytes.
    void error(int msgId, int command, Errno errno) {
        drop();
        int number = errno == Errno.EUNKNOWN ? Errno.EIO.value() : errno.value();
        start(msgId, command, HeaderLayout.BYTES, HeaderLayout.F_TYPE_REPLY | HeaderLayout.F_ERROR, number);
    }

    private void start(int msgId, int command, int bytes, int flags, int errno) {
        HeaderLayout.encode(buffer, 0, msgId, command, bytes, flags, errno);
        sent = 0;
        size = bytes;
        shown = false;
    }

    /// Sends what is left of the answer, if anything, without waiting. Hot.
    Sent flush(UnixSocket socket) {
        return flush(socket, false);
    }

    /// As [#flush(UnixSocket)].
    ///
    /// @param wait whether to wait while there is no room, as long as the socket does
    Sent flush(UnixSocket socket, boolean wait) {
        if (sent < size && !shown) {
            shown = true;
            if (tap.isWatched()) {
                tap.show(TraceRecord.Kind.SENT, buffer, 0, size, Arrays.asList(fds).subList(0, fdCount));
            }
        }
        while (sent < size) {
            int count = fdCount == 0 ? socket.send(buffer, sent, size - sent, wait) : sendWithFd(socket, wait);
            if (count < 0) {
                return count == EAGAIN ? Sent.BLOCKED : Sent.BROKEN;
            }
            fdCount = 0;
            sent += count;
            if (!wait && sent < size) {
                // It would have taken more if there were room.
                return Sent.BLOCKED;
            }
        }
        return Sent.ALL;
    }

    private int sendWithFd(UnixSocket socket, boolean wait) {
        for (int i = 0; i < fdCount; i++) {
            numbers[i] = fds[i].number();
        }
        return socket.sendWithFds(buffer, sent, size - sent, numbers, fdCount, wait);
    }
}
