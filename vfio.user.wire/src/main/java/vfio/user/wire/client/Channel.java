// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import linux.sys.Fd;
import linux.sys.Mapping;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.Command;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.RegionAccessLayout;
import vfio.user.wire.VersionCapabilities;

/// Sends requests and waits for their answers, one at a time; what the server asks meanwhile is answered. Not thread-safe.
final class Channel implements AutoCloseable {
    /// Where a payload is in both buffers.
    static final int PAYLOAD = HeaderLayout.BYTES;
    /// Longest message either way.
    static final int LONGEST = HeaderLayout.BYTES + RegionAccessLayout.BYTES + VersionCapabilities.DEFAULT_MAX_DATA_XFER_SIZE;

    private static final int[] NO_FDS = {};

    private final MessageSocket wire;
    private final DmaMemory memory;
    private final long timeoutNanos;
    private final Mapping out;
    private final Mapping in;
    /// For answers to the server.
    private final Mapping back;
    private final ReceivedFds fds = new ReceivedFds();
    private int lastId;

    /// @param socket taken, also when this throws
    /// @param memory what the server may ask for
    /// @param timeout of each request; zero for none
    Channel(UnixSocket socket, DmaMemory memory, Duration timeout) throws VfioException {
        this.memory = memory;
        timeoutNanos = timeout.toNanos();
        wire = new MessageSocket(socket, LONGEST);
        List<Mapping> made = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                made.add(Mapping.anonymous(LONGEST));
            }
        } finally {
            if (made.size() < 3) {
                wire.close();
                made.forEach(Mapping::close);
            }
        }
        out = made.get(0);
        in = made.get(1);
        back = made.get(2);
    }

    /// Where a request's payload is to be written, from [#PAYLOAD].
    MemorySegment request() {
        return out.memory();
    }

    /// Where the last answer's payload is, from [#PAYLOAD].
    MemorySegment answer() {
        return in.memory();
    }

    /// Sends a request whose payload was written, and waits for the answer.
    ///
    /// @param numbers descriptors that go along
    /// @return bytes of the answer's payload
    /// @throws VfioException the errno the server answered; EPROTO for an answer that is none; ECONNRESET when the server has gone;
    ///     ETIMEDOUT when it takes too long. After the last three the connection is closed, since its stream is lost
    int callWithFds(Command command, int payloadSize, int... numbers) throws VfioException {
        boolean kept = false;
        int size;
        try {
            long deadline = deadline();
            int id = send(command, payloadSize, 0, deadline, numbers);
            size = receiveReply(deadline);
            checkReply(command, id, size);
            kept = true;
        } catch (VfioException e) {
            throw new VfioException(e.errno(), "command=%s %s".formatted(command, e.getMessage()));
        } finally {
            if (!kept) {
                close();
            }
        }
        if ((in.memory().get(HostOrder.U32, HeaderLayout.FLAGS) & HeaderLayout.F_ERROR) != 0) {
            fds.clear();
            long errno = HostOrder.u32(in.memory(), HeaderLayout.ERROR_NO);
            throw new VfioException(Errno.of((int) errno), "command=%s error_no=0x%x".formatted(command, errno));
        }
        return size - HeaderLayout.BYTES;
    }

    private long deadline() {
        return timeoutNanos == 0 ? MessageSocket.NEVER : System.nanoTime() + timeoutNanos | 1;
    }

    /// Receives messages up to one that is not a command, and answers those.
    private int receiveReply(long deadline) throws VfioException {
        while (true) {
            int size = wire.receive(in.memory(), fds, deadline);
            if (!isCommand()) {
                return size;
            }
            answer(size, deadline);
        }
    }

    private boolean isCommand() {
        return (in.memory().get(HostOrder.U32, HeaderLayout.FLAGS) & HeaderLayout.F_TYPE_MASK) == HeaderLayout.F_TYPE_COMMAND;
    }

    private void answer(int size, long deadline) throws VfioException {
        fds.clear();
        int answered = memory.answer(in.memory(), size, back.memory());
        if (answered > 0) {
            wire.send(back.memory(), answered, NO_FDS, deadline);
        }
    }

    private void checkReply(Command command, int id, int size) throws VfioException {
        MemorySegment answer = in.memory();
        int type = answer.get(HostOrder.U32, HeaderLayout.FLAGS) & HeaderLayout.F_TYPE_MASK;
        if (HostOrder.u16(answer, HeaderLayout.MSG_ID) != id || HostOrder.u16(answer, HeaderLayout.CMD) != command.code()
            || type != HeaderLayout.F_TYPE_REPLY) {
            throw new VfioException(Errno.EPROTO, "answer=%s size=0x%x expected=a reply to msg_id=0x%x".formatted(
                HeaderLayout.decode(answer, 0), size, id));
        }
    }

    /// As [#callWithFds] without any, for an answer that has at least so many bytes.
    int call(Command command, int payloadSize, int leastAnswer) throws VfioException {
        int size = callWithFds(command, payloadSize, NO_FDS);
        if (size < leastAnswer) {
            throw new VfioException(Errno.EPROTO, "command=%s answer=0x%x expected=at least 0x%x".formatted(command, size, leastAnswer));
        }
        return size;
    }

    /// Sends a request that is not to be answered.
    void post(Command command, int payloadSize) throws VfioException {
        send(command, payloadSize, HeaderLayout.F_NO_REPLY, deadline());
    }

    /// Waits for the server to ask something, and answers it.
    ///
    /// @return false when it did not in that time
    boolean serve(Duration timeout) throws VfioException {
        if (!wire.readable(System.nanoTime() + timeout.toNanos() | 1)) {
            return false;
        }
        long deadline = deadline();
        int size = wire.receive(in.memory(), fds, deadline);
        if (!isCommand()) {
            fds.clear();
            throw new VfioException(Errno.EPROTO, "answer=%s expected=nothing was asked".formatted(HeaderLayout.decode(in.memory(), 0)));
        }
        answer(size, deadline);
        return true;
    }

    /// Takes the descriptors that came with the last answer.
    List<Fd> takeFds() {
        List<Fd> taken = new ArrayList<>();
        for (int i = 0; i < fds.count(); i++) {
            taken.add(fds.take(i));
        }
        fds.clear();
        return taken;
    }

    /// Takes one of the descriptors that came with the last answer; the others are closed.
    Fd takeFd(int index) throws VfioException {
        return MessageSocket.take(fds, index);
    }

    private int send(Command command, int payloadSize, int flags, long deadline, int... numbers) throws VfioException {
        lastId = lastId + 1 & 0xFFFF;
        int size = HeaderLayout.BYTES + payloadSize;
        HeaderLayout.encode(out.memory(), 0, lastId, command.code(), size, HeaderLayout.F_TYPE_COMMAND | flags, 0);
        wire.send(out.memory(), size, numbers, deadline);
        return lastId;
    }

    /// Disconnects. What was received last stays readable until [#free()].
    @Override
    public void close() {
        wire.close();
        fds.clear();
    }

    /// Gives the buffers back, after [#close()].
    void free() {
        out.close();
        in.close();
        back.close();
    }
}
