// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import linux.sys.Fd;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.user.trace.Tap;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.trace.TraceRecord;

/// The bytes of a client, as messages. One receive takes what is there; [#next()] goes through the complete messages in it, which stay
/// where they are until the next receive.
final class Inbound {
    private final MemorySegment buffer;
    private final Tap tap;
    private final ReceivedFds received = new ReceivedFds();
    private final HeldFds held = new HeldFds();
    /// Place in the stream of the buffer's byte 0.
    private long base;
    /// Received and not yet gone through: from here ...
    private int head;
    /// ... to here.
    private int tail;
    private int start;
    private boolean broken;

    Inbound(MemorySegment buffer, Tap tap) {
        this.buffer = buffer;
        this.tap = tap;
    }

    /// Receives what is there, without waiting. Hot.
    ///
    /// @return bytes, 0 at the end of the stream, or a negative errno
    int receive(UnixSocket socket) {
        makeRoom();
        int count = socket.receive(buffer, tail, (int) buffer.byteSize() - tail, received, false);
        if (count > 0) {
            tail += count;
            if (received.count() > 0 || received.truncated()) {
                held.add(received, base + tail - 1);
            }
        }
        return count;
    }

    /// Moves what is left to the front if the message it begins would not fit behind it.
    private void makeRoom() {
        int left = tail - head;
        if (left > 0 && head + Buffers.LONGEST_MESSAGE <= buffer.byteSize()) {
            return;
        }
        if (left > 0) {
            MemorySegment.copy(buffer, head, buffer, 0, left);
        }
        base += head;
        head = 0;
        tail = left;
    }

    /// Goes to the next message.
    ///
    /// @return false when the next is not complete, or can never be: see [#broken()]
    boolean next() {
        int left = tail - head;
        if (left < HeaderLayout.BYTES) {
            return false;
        }
        long size = HostOrder.u32(buffer, head + HeaderLayout.MSG_SIZE);
        if (size < HeaderLayout.BYTES || size > Buffers.LONGEST_MESSAGE) {
            broken = true;
            return false;
        }
        if (left < size) {
            return false;
        }
        start = head;
        head += (int) size;
        if (tap.isWatched()) {
            tap.show(TraceRecord.Kind.RECEIVED, buffer, start, size(), held.listBefore(base + head));
        }
        return true;
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
        return held.countBefore(base + head);
    }

    boolean fdsCut() {
        return held.cutBefore(base + head);
    }

    /// Hands over the message's first descriptor; there is one.
    Fd takeFd() {
        return held.takeFirst();
    }

    /// Closes what the message brought and nobody took.
    void endMessage() {
        held.closeBefore(base + head);
    }

    void close() {
        held.closeAll();
    }
}
