// SPDX-License-Identifier: Apache-2.0
package itest.wire;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import linux.sys.Epoll;
import linux.sys.Fd;
import linux.sys.Ready;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/**
 * The other end of a connection. It never waits without taking in what the server sends, so that two which both send do not wait for each
 * other; and it never waits without end. For one thread.
 */
public final class RawClient implements AutoCloseable {
    /** Longer than the server may ever take, on a machine that is busy with something else as well. */
    public static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final int EAGAIN = -11;
    private static final int CHUNK = 1 << 20;
    private static final int LONGEST = 1 << 21;
    /** A header, the structure of an access, and 1 MiB of data. */
    private static final int LONGEST_MESSAGE = 16 + 16 + (1 << 20);

    /** Buffers of clients that have gone: to make them takes longer than to connect. */
    private static final Queue<MemorySegment> SPARE = new ConcurrentLinkedQueue<>();

    private final UnixSocket socket;
    private final MemorySegment buffers;
    private final MemorySegment out;
    private final MemorySegment in;
    private final ReceivedFds received = new ReceivedFds();
    private final Epoll epoll;
    private final Ready ready = new Ready(1);
    private final Deque<Message> messages = new ArrayDeque<>();
    private final List<Fd> partFds = new ArrayList<>();
    private int filled;
    private boolean ended;
    private boolean closed;
    private int lastId = 0x4000;

    private RawClient(UnixSocket socket) throws VfioException {
        this.socket = socket;
        MemorySegment spare = SPARE.poll();
        buffers = spare != null ? spare : Arena.global().allocate(CHUNK + LONGEST);
        out = buffers.asSlice(0, CHUNK);
        in = buffers.asSlice(CHUNK);
        epoll = Epoll.create();
        epoll.add(socket.fd(), Epoll.IN, 0);
    }

    /** Connects and says nothing yet. */
    public static RawClient connect(Path path) throws VfioException {
        return new RawClient(UnixSocket.connect(path, PATIENCE));
    }

    /** Over a socket that came from the server, which is taken. */
    public static RawClient over(Fd socket) throws VfioException {
        return new RawClient(UnixSocket.over(socket));
    }

    /** Sends a command, without waiting for its reply. */
    public int post(int command, int flags, Bytes payload, OwnedFd... fds) {
        int id = nextId();
        send(Message.encode(id, command, flags, payload.array()), fds);
        return id;
    }

    /** Sends a command and returns its reply, which has to be the next message; and well-formed. */
    public Message call(int command, Bytes payload, OwnedFd... fds) {
        return replyTo(post(command, 0, payload, fds), command);
    }

    /** The next message, which has to be the reply to that command. */
    public Message replyTo(int id, int command) {
        Message reply = receive();
        boolean formed = reply.isReply() && (reply.flags() & ~(Message.TYPE | Message.ERROR)) == 0
            && (reply.isError() ? reply.errno() > 0 && reply.size() == Message.HEADER && reply.fds().isEmpty() : reply.errno() == 0);
        if (reply.id() != id || reply.command() != command || !formed) {
            throw new AssertionError("asked id=0x%x command=%d, got %s".formatted(id, command, reply));
        }
        return reply;
    }

    /** An id not used lately. */
    public int nextId() {
        lastId = lastId + 1 & 0xFFFF;
        return lastId;
    }

    /** Sends bytes, all of them, descriptors beside the first. */
    public void send(byte[] bytes, OwnedFd... fds) {
        if (!trySend(bytes, fds)) {
            throw new AssertionError("the server has hung up");
        }
    }

    /**
     * Sends bytes, all of them, descriptors beside the first.
     *
     * @return whether the server was there to the last of them
     */
    public boolean trySend(byte[] bytes, OwnedFd... fds) {
        int[] numbers = Arrays.stream(fds).mapToInt(OwnedFd::number).toArray();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        int sent = 0;
        while (sent < bytes.length) {
            int length = Math.min(CHUNK, bytes.length - sent);
            MemorySegment.copy(bytes, sent, out, ValueLayout.JAVA_BYTE, 0, length);
            int count = sent == 0 && numbers.length > 0 ? socket.sendWithFds(out, 0, length, numbers, numbers.length, false)
                : socket.send(out, 0, length, false);
            if (count > 0) {
                sent += count;
            } else if (count != EAGAIN) {
                return false;
            } else if (!await(Epoll.IN | Epoll.OUT, deadline)) {
                throw new AssertionError("the server has not taken byte %d of %d".formatted(sent, bytes.length));
            } else {
                takeIn();
            }
        }
        return true;
    }

    /** The next message. */
    public Message receive() {
        return next(PATIENCE).orElseThrow(() -> new AssertionError(ended ? "the server has hung up" : "the server says nothing"));
    }

    /** The next message, if it comes within that time and before the end. */
    public Optional<Message> next(Duration longest) {
        long deadline = System.nanoTime() + longest.toNanos();
        while (messages.isEmpty() && !ended) {
            takeIn();
            if (messages.isEmpty() && !ended && !await(Epoll.IN, deadline)) {
                return Optional.empty();
            }
        }
        return Optional.ofNullable(messages.poll());
    }

    /** Whether the server hangs up, with nothing before. */
    public boolean endsOrderly() {
        return next(PATIENCE).isEmpty() && ended && filled == 0;
    }

    /** Whether the server has hung up. */
    public boolean hasEnded() {
        return ended;
    }

    private boolean await(int events, long deadline) {
        try {
            epoll.modify(socket.fd(), events, 0);
        } catch (VfioException e) {
            throw new AssertionError(e);
        }
        while (true) {
            long left = deadline - System.nanoTime();
            int reports = epoll.await(ready, (int) Math.max(0, Duration.ofNanos(left).toMillis() + 1));
            if (reports != 0) {
                return true;
            }
            if (left <= 0) {
                return false;
            }
        }
    }

    /** Receives what is there. Descriptors belong to the message that has the last byte of the receive they came with. */
    private void takeIn() {
        while (!ended) {
            int count = socket.receive(in, filled, LONGEST - filled, received, false);
            if (count == EAGAIN) {
                return;
            }
            if (count <= 0) {
                ended = true;
                return;
            }
            filled += count;
            List<Fd> came = new ArrayList<>();
            for (int i = 0; i < received.count(); i++) {
                came.add(received.take(i));
            }
            received.clear();
            split(came);
        }
    }

    private void split(List<Fd> came) {
        int at = 0;
        List<byte[]> whole = new ArrayList<>();
        while (filled - at >= Message.HEADER) {
            long size = Integer.toUnsignedLong(in.get(ValueLayout.JAVA_INT_UNALIGNED, at + Message.SIZE_AT));
            if (size < Message.HEADER || size > LONGEST_MESSAGE) {
                throw new AssertionError("the server sends a message of size 0x" + Long.toHexString(size));
            }
            if (filled - at < size) {
                break;
            }
            whole.add(in.asSlice(at, size).toArray(ValueLayout.JAVA_BYTE));
            at += (int) size;
        }
        MemorySegment.copy(in, at, in, 0, filled - at);
        filled -= at;
        boolean lastIsWhole = filled == 0;
        for (int i = 0; i < whole.size(); i++) {
            List<Fd> its = new ArrayList<>();
            if (i == 0) {
                its.addAll(partFds);
                partFds.clear();
            }
            if (lastIsWhole && i == whole.size() - 1) {
                its.addAll(came);
            }
            messages.add(Message.decode(whole.get(i), its));
        }
        if (!lastIsWhole || whole.isEmpty()) {
            partFds.addAll(came);
        }
    }

    /** Hangs up. What came and was not looked at is closed. */
    @Override
    public void close() {
        messages.forEach(message -> message.fds().forEach(Fd::close));
        partFds.forEach(Fd::close);
        received.closeAll();
        epoll.close();
        socket.close();
        if (!closed) {
            closed = true;
            SPARE.add(buffers);
        }
    }
}
