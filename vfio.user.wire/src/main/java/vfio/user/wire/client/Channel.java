// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.foreign.MemorySegment;
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
import vfio.user.wire.RegionAccessLayout;
import vfio.user.wire.VersionCapabilities;

/// Sends requests and waits for their answers, one at a time. Not thread-safe.
final class Channel implements AutoCloseable {
    /// Where a payload is in both buffers.
    static final int PAYLOAD = HeaderLayout.BYTES;
    /// Longest message either way.
    static final int LONGEST = HeaderLayout.BYTES + RegionAccessLayout.BYTES + VersionCapabilities.DEFAULT_MAX_DATA_XFER_SIZE;

    private static final int[] NO_FDS = {};

    private final UnixSocket socket;
    private final Mapping out;
    private final Mapping in;
    private final ReceivedFds fds = new ReceivedFds();
    private int lastId;

    /// @param socket taken, also when this throws
    Channel(UnixSocket socket) throws VfioException {
        this.socket = socket;
        Mapping first = null;
        Mapping second = null;
        try {
            first = Mapping.anonymous(LONGEST);
            second = Mapping.anonymous(LONGEST);
        } finally {
            if (second == null) {
                socket.close();
                if (first != null) {
                    first.close();
                }
            }
        }
        out = first;
        in = second;
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
    /// @throws VfioException the errno the server answered; EPROTO for an answer that is none; ECONNRESET when the server has gone
    int callWithFds(Command command, int payloadSize, int... numbers) throws VfioException {
        int id = send(command, payloadSize, 0, numbers);
        fds.clear();
        receive(0, HeaderLayout.BYTES);
        HeaderLayout.Header header = HeaderLayout.decode(in.memory(), 0);
        if (header.msgId() != id || header.cmd() != command.code() || !header.reply() || header.msgSize() < HeaderLayout.BYTES
            || header.msgSize() > LONGEST) {
            throw new VfioException(Errno.EPROTO, "command=%s answer=%s expected=a reply to msg_id=0x%x".formatted(command, header, id));
        }
        int size = (int) header.msgSize() - HeaderLayout.BYTES;
        receive(HeaderLayout.BYTES, size);
        if (header.error()) {
            fds.clear();
            throw new VfioException(Errno.of((int) header.errorNo()), "command=%s error_no=0x%x".formatted(command, header.errorNo()));
        }
        return size;
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
        send(command, payloadSize, HeaderLayout.F_NO_REPLY, NO_FDS);
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

    private int send(Command command, int payloadSize, int flags, int... numbers) throws VfioException {
        lastId = lastId + 1 & 0xFFFF;
        int size = HeaderLayout.BYTES + payloadSize;
        HeaderLayout.encode(out.memory(), 0, lastId, command.code(), size, HeaderLayout.F_TYPE_COMMAND | flags, 0);
        int sent = 0;
        while (sent < size) {
            int count = sent == 0 && numbers.length > 0
                ? socket.sendWithFds(out.memory(), 0, size, numbers, numbers.length, true)
                : socket.send(out.memory(), sent, size - sent, true);
            if (count < 0) {
                throw new VfioException(Errno.of(-count), "command=%s the server has gone".formatted(command));
            }
            sent += count;
        }
        return lastId;
    }

    private void receive(int from, int size) throws VfioException {
        int done = 0;
        while (done < size) {
            int count = socket.receive(in.memory(), from + done, size - done, fds, true);
            if (count <= 0) {
                throw new VfioException(count == 0 ? Errno.ECONNRESET : Errno.of(-count), "the server has gone");
            }
            done += count;
        }
    }

    @Override
    public void close() {
        socket.close();
        fds.clear();
        out.close();
        in.close();
    }
}
