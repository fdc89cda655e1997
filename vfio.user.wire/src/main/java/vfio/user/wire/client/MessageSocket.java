// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.foreign.MemorySegment;
import linux.sys.Epoll;
import linux.sys.Fd;
import linux.sys.Ready;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;

/// A connected socket that carries whole messages, each within a deadline. One thread at a time; closing, by any, ends a wait that has no
/// deadline.
public final class MessageSocket implements AutoCloseable {
    /// A deadline that never comes.
    public static final long NEVER = 0;

    private static final int EAGAIN = -Errno.EAGAIN.value();

    private final UnixSocket socket;
    private final Epoll set;
    private final Ready ready = new Ready(1);
    private final int longest;
    private int interest = Epoll.IN;

    /// @param socket taken, also when this throws
    /// @param longest message, bytes
    MessageSocket(UnixSocket socket, int longest) throws VfioException {
        this.socket = socket;
        this.longest = longest;
        Epoll made = null;
        boolean added = false;
        try {
            made = Epoll.create();
            made.add(socket.fd(), interest, 0);
            added = true;
        } finally {
            if (!added) {
                socket.close();
                if (made != null) {
                    made.close();
                }
            }
        }
        set = made;
    }

    /// A socket that is connected, for whoever puts messages together himself.
    ///
    /// @param socket taken, also when this throws
    /// @param longest message that is received, bytes
    /// @throws VfioException EMFILE when the process has no descriptor left
    public static MessageSocket over(UnixSocket socket, int longest) throws VfioException {
        return new MessageSocket(socket, longest);
    }

    /// Sends a message.
    ///
    /// @param numbers descriptors that go along
    /// @param deadline of [System#nanoTime()], or [#NEVER]
    public void send(MemorySegment message, int size, int[] numbers, long deadline) throws VfioException {
        int sent = 0;
        while (sent < size) {
            boolean wait = deadline == NEVER;
            int count = sent == 0 && numbers.length > 0
                ? socket.sendWithFds(message, 0, size, numbers, numbers.length, wait)
                : socket.send(message, sent, size - sent, wait);
            if (count == EAGAIN) {
                await(Epoll.OUT, deadline, "room for a message");
            } else if (count < 0) {
                throw new VfioException(Errno.of(-count), "the server has gone");
            } else {
                sent += count;
            }
        }
    }

    /// Receives a whole message into the buffer, from byte 0.
    ///
    /// @param fds cleared, then filled with what came along
    /// @return its bytes
    /// @throws VfioException ECONNRESET at the end of the stream; ETIMEDOUT; EPROTO for a size that no message has
    public int receive(MemorySegment buffer, ReceivedFds fds, long deadline) throws VfioException {
        fds.clear();
        receive(buffer, 0, HeaderLayout.BYTES, fds, deadline);
        long size = HostOrder.u32(buffer, HeaderLayout.MSG_SIZE);
        if (size < HeaderLayout.BYTES || size > longest) {
            throw new VfioException(Errno.EPROTO, "msg_size=0x%x expected=0x%x to 0x%x".formatted(size, HeaderLayout.BYTES, longest));
        }
        receive(buffer, HeaderLayout.BYTES, (int) size - HeaderLayout.BYTES, fds, deadline);
        return (int) size;
    }

    private void receive(MemorySegment buffer, int from, int size, ReceivedFds fds, long deadline) throws VfioException {
        int done = 0;
        while (done < size) {
            if (deadline != NEVER) {
                await(Epoll.IN, deadline, "an answer");
            }
            int count = socket.receive(buffer, from + done, size - done, fds, deadline == NEVER);
            if (count <= 0 && count != EAGAIN) {
                throw new VfioException(count == 0 ? Errno.ECONNRESET : Errno.of(-count), "the server has gone");
            }
            done += Math.max(0, count);
        }
    }

    /// Waits until there is something to receive.
    ///
    /// @return false when the time ran out
    public boolean readable(long deadline) throws VfioException {
        return ready(Epoll.IN, deadline);
    }

    private void await(int events, long deadline, String what) throws VfioException {
        if (!ready(events, deadline)) {
            throw new VfioException(Errno.ETIMEDOUT, "expected=" + what + " in time");
        }
    }

    private boolean ready(int events, long deadline) throws VfioException {
        if (interest != events) {
            set.modify(socket.fd(), events, 0);
            interest = events;
        }
        while (true) {
            long left = deadline - System.nanoTime();
            int millis = deadline == NEVER ? -1 : (int) Math.min(Integer.MAX_VALUE, Math.max(0, (left + 999_999) / 1_000_000));
            int count = set.await(ready, millis);
            if (count > 0) {
                return true;
            }
            if (count < 0) {
                throw new VfioException(Errno.of(-count), "the connection was closed");
            }
            if (deadline != NEVER && left <= 0) {
                return false;
            }
        }
    }

    /// Takes one of the descriptors that came with a message, and closes the others.
    static Fd take(ReceivedFds fds, int index) throws VfioException {
        if (index >= fds.count()) {
            throw new VfioException(Errno.EPROTO, "fds=0x%x expected=more than 0x%x".formatted(fds.count(), index));
        }
        Fd taken = fds.take(index);
        fds.clear();
        return taken;
    }

    @Override
    public void close() {
        socket.close();
        set.close();
    }
}
