// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import linux.sys.Fd;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.command.Exchange;
import vfio.user.trace.Tap;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.trace.TraceRecord;

/// The bytes of a client, as messages. One receive takes what is there; [#next()] goes through the complete messages in it, which stay
/// where they are until the next receive.
final class Inbound {
    /// What becomes of a message in [#sift].
    enum Verdict {
        /// It stays, in order.
        KEEP,
        /// It is taken out.
        REMOVE,
        /// It stays, and so does all behind it, to be looked at again.
        STOP
    }

    /// Looks at a message that waits.
    interface Sieve {
        /// @param at where it is
        /// @param kept bytes that stay before it
        Verdict look(MemorySegment buffer, int at, int size, int kept);
    }

    private static final int EAGAIN = -Errno.EAGAIN.value();

    private final MemorySegment buffer;
    private final Tap tap;
    private final ReceivedFds received = new ReceivedFds();
    private final HeldFds held = new HeldFds();
    /// Those of the message that [#next()] went to.
    private final HeldFds own = new HeldFds();
    /// Place in the stream of the buffer's byte 0.
    private long base;
    /// Received and not yet gone through: from here ...
    private int head;
    /// ... to here.
    private int tail;
    private int start;
    /// Whether the next message was gone to before, and put back.
    private boolean again;
    /// Looked at by [#sift] up to here.
    private int sifted;
    private boolean broken;

    Inbound(MemorySegment buffer, Tap tap) {
        this.buffer = buffer;
        this.tap = tap;
    }

    /// Receives what is there, without waiting. Hot.
    ///
    /// @return bytes, 0 at the end of the stream, or a negative errno
    int receive(UnixSocket socket) {
        return receive(socket, false);
    }

    /// As [#receive(UnixSocket)].
    ///
    /// @param wait whether to wait while there is nothing, as long as the socket does
    int receive(UnixSocket socket, boolean wait) {
        makeRoom();
        int count = socket.receive(buffer, tail, (int) buffer.byteSize() - tail, received, wait);
        if (count > 0) {
            tail += count;
            if (received.count() > 0 || received.truncated()) {
                held.add(received, base + tail - 1);
            }
        }
        return count;
    }

    /// Receives what is there, if there is room, while what was received before waits.
    ///
    /// @return false when nothing more will come
    boolean receiveAhead(UnixSocket socket) {
        if (!hasRoom()) {
            return true;
        }
        int count = receive(socket);
        return count > 0 || count == EAGAIN;
    }

    /// Whether there is room to receive into.
    boolean hasRoom() {
        return tail - head < buffer.byteSize();
    }

    /// Moves what is left to the front if the message it begins would not fit behind it.
    private void makeRoom() {
        int left = tail - head;
        if (left > 0 && head + Buffers.LONGEST_MESSAGE <= buffer.byteSize() && tail < buffer.byteSize()) {
            return;
        }
        if (left > 0) {
            MemorySegment.copy(buffer, head, buffer, 0, left);
        }
        base += head;
        sifted = Math.max(0, sifted - head);
        head = 0;
        tail = left;
    }

    /// Goes to the next message.
    ///
    /// @return false when the next is not complete, or can never be: see [#broken()]
    boolean next() {
        int size = sizeAt(head);
        if (size < 0) {
            return false;
        }
        start = head;
        head += size;
        if (held.count() > 0 || held.isCut()) {
            held.moveBefore(base + head, own);
        }
        if (!again && tap.isWatched()) {
            tap.show(TraceRecord.Kind.RECEIVED, buffer, start, size, own.list());
        }
        again = false;
        return true;
    }

    /// Puts the message back that [#next()] went to: it is the next one.
    void putBack() {
        head = start;
        again = true;
        if (own.count() > 0 || own.isCut()) {
            held.putBack(own, base + start);
        }
    }

    /// Whether the message is a reply.
    boolean isReply() {
        return isReply(buffer, start);
    }

    static boolean isReply(MemorySegment buffer, int at) {
        return (buffer.get(HostOrder.U32, at + HeaderLayout.FLAGS) & HeaderLayout.F_TYPE_MASK) == HeaderLayout.F_TYPE_REPLY;
    }

    /// The size of the message there, or -1 when it is not complete or is none.
    private int sizeAt(int at) {
        int left = tail - at;
        if (left < HeaderLayout.BYTES) {
            return -1;
        }
        long size = HostOrder.u32(buffer, at + HeaderLayout.MSG_SIZE);
        if (size < HeaderLayout.BYTES || size > Buffers.LONGEST_MESSAGE) {
            broken = true;
            return -1;
        }
        return left < size ? -1 : (int) size;
    }

    /// Takes over what the other has received and not gone through; its current message stays with it.
    void adopt(Inbound other) {
        int left = other.tail - other.head;
        MemorySegment.copy(other.buffer, other.head, buffer, 0, left);
        base = other.base + other.head;
        head = 0;
        tail = left;
        start = 0;
        sifted = 0;
        broken = false;
        other.held.moveAll(held);
        other.tail = other.head;
    }

    /// Goes through the messages that were not looked at yet, and takes out those the sieve says.
    void sift(Sieve sieve) {
        int from = Math.max(sifted, head);
        int to = from;
        int size;
        while ((size = sizeAt(from)) >= 0) {
            Verdict verdict = sieve.look(buffer, from, size, to - head);
            if (verdict == Verdict.STOP) {
                break;
            }
            if (verdict == Verdict.KEEP) {
                if (from != to) {
                    MemorySegment.copy(buffer, from, buffer, to, size);
                }
                from += size;
                to += size;
            } else {
                if (tap.isWatched()) {
                    tap.show(TraceRecord.Kind.RECEIVED, buffer, from, size, held.listWithin(base + to, base + to + size));
                }
                // The place of what follows is counted as if these bytes had never been.
                held.closeWithin(base + to, base + to + size);
                held.shift(base + to, size);
                from += size;
            }
        }
        if (from != to) {
            MemorySegment.copy(buffer, from, buffer, to, tail - from);
            tail -= from - to;
        }
        sifted = to;
    }

    /// Has [#sift] look at everything again.
    void unsift() {
        sifted = head;
    }

    /// Complete messages that [#next()] has not gone to.
    int waiting() {
        int messages = 0;
        int at = head;
        for (int size; !broken && (size = sizeAt(at)) >= 0; at += size) {
            messages++;
        }
        return messages;
    }

    /// Whether a size was met that no message has: where the next message begins cannot be known.
    boolean isBroken() {
        return broken;
    }

    /// That size.
    long brokenSize() {
        return HostOrder.u32(buffer, head + HeaderLayout.MSG_SIZE);
    }

    MemorySegment buffer() {
        return buffer;
    }

    /// Where the message is.
    int start() {
        return start;
    }

    /// Bytes of the message.
    int size() {
        return head - start;
    }

    int fds() {
        return own.count();
    }

    /// Whether the message brought no more than the protocol lets it.
    ///
    /// @throws VfioException EMFILE when some could not be received, EINVAL when there are too many
    void requireFewFds() throws VfioException {
        if (own.isCut()) {
            throw new VfioException(Errno.EMFILE, "fds=too many, expected=at most 0x%x".formatted(Exchange.MAX_MSG_FDS));
        }
        if (own.count() > Exchange.MAX_MSG_FDS) {
            throw new VfioException(Errno.EINVAL, "fds=0x%x expected=at most 0x%x".formatted(own.count(), Exchange.MAX_MSG_FDS));
        }
    }

    /// Hands over the message's first descriptor; there is one.
    Fd takeFd() {
        return own.takeFirst();
    }

    /// Closes what the message brought and nobody took.
    void endMessage() {
        if (own.count() > 0 || own.isCut()) {
            own.clear();
        }
    }

    void close() {
        own.clear();
        held.clear();
    }
}
