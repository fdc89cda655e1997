// SPDX-License-Identifier: Apache-2.0
package vmm.channel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Over a UNIX socket, whose own timeouts bound each wait.
public final class UnixLink implements Link {
    private static final int CHUNK = 1 << 18;

    private final UnixSocket socket;
    private final String peer;
    private final MemorySegment out = Arena.ofAuto().allocate(CHUNK);
    private final MemorySegment in = Arena.ofAuto().allocate(CHUNK);
    private final ReceivedFds fds = new ReceivedFds();

    private UnixLink(UnixSocket socket, String peer) {
        this.socket = socket;
        this.peer = peer;
    }

    /// A link over a socket that is connected.
    ///
    /// @param socket taken, also when this throws
    /// @param patience the longest wait; zero for none
    /// @throws VfioException what the system says
    public static UnixLink over(UnixSocket socket, Duration patience) throws VfioException {
        UnixLink made = null;
        try {
            if (!patience.isZero()) {
                socket.setTimeout(patience);
            }
            made = new UnixLink(socket, "process " + socket.peer().pid());
            return made;
        } finally {
            if (made == null) {
                socket.close();
            }
        }
    }

    /// Waits so long from now on.
    ///
    /// @throws VfioException EBADF after [#close()]
    public void patience(Duration longest) throws VfioException {
        socket.setTimeout(longest);
    }

    /// The id of the process at the other end when it connected.
    ///
    /// @throws VfioException EBADF after [#close()]
    public long process() throws VfioException {
        return socket.peer().pid();
    }

    @Override
    public void write(byte[] bytes, int offset, int count) throws VfioException {
        for (int done = 0; done < count;) {
            int part = Math.min(CHUNK, count - done);
            MemorySegment.copy(bytes, offset + done, out, ValueLayout.JAVA_BYTE, 0, part);
            int sent = socket.send(out, 0, part, true);
            if (sent < 0) {
                throw failed(sent, "room");
            }
            done += sent;
        }
    }

    @Override
    public void read(byte[] bytes, int offset, int count) throws VfioException {
        for (int done = 0; done < count;) {
            int received = socket.receive(in, 0, Math.min(CHUNK, count - done), fds, true);
            // Nobody sends descriptors here; who does loses them.
            fds.clear();
            if (received == 0) {
                throw new VfioException(Errno.ECONNRESET, "peer=%s ended the connection".formatted(peer));
            }
            if (received < 0) {
                throw failed(received, "an answer");
            }
            MemorySegment.copy(in, ValueLayout.JAVA_BYTE, 0, bytes, offset + done, received);
            done += received;
        }
    }

    private VfioException failed(int error, String wanted) {
        Errno errno = Errno.of(-error);
        return errno == Errno.EAGAIN
            ? new VfioException(Errno.ETIMEDOUT, "peer=%s expected=%s in time".formatted(peer, wanted))
            : new VfioException(errno, "peer=%s has gone".formatted(peer));
    }

    @Override
    public String peer() {
        return peer;
    }

    @Override
    public void close() {
        socket.close();
    }
}
