// SPDX-License-Identifier: Apache-2.0
package vmm.channel;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLException;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Over TCP, with TLS or, within one machine, without. Reads are bounded by the socket; writes, for which Java has no bound, by a thread
/// that closes the connection when one takes too long.
final class TcpLink implements Link {
    private static final long NOT_WRITING = 0;

    /// What is read and written: the TLS socket over the other one, or that itself.
    private final Socket socket;
    private final Socket raw;
    private final InputStream in;
    private final OutputStream out;
    private final String peer;
    private final long patienceNanos;
    /// When the write that is under way must have ended.
    private volatile long writeDeadline = NOT_WRITING;
    private volatile boolean overdue;

    private TcpLink(Socket socket, Socket raw, Duration patience) throws IOException {
        this.socket = socket;
        this.raw = raw;
        this.patienceNanos = patience.toNanos();
        in = socket.getInputStream();
        out = socket.getOutputStream();
        peer = String.valueOf(raw.getRemoteSocketAddress());
        raw.setTcpNoDelay(true);
        raw.setSoTimeout(Math.toIntExact(Math.max(1, patience.toMillis())));
    }

    /// A link over sockets that are connected and, with TLS, agreed.
    ///
    /// @param socket taken with the raw one under it, also when this throws
    static TcpLink over(Socket socket, Socket raw, Duration patience) throws VfioException {
        TcpLink made = null;
        try {
            made = new TcpLink(socket, raw, patience);
            Thread.ofVirtual().name("vmm-link-watch").start(made::watch);
            return made;
        } catch (IOException e) {
            throw failed("tcp", e);
        } finally {
            if (made == null) {
                closeQuietly(raw);
            }
        }
    }

    /// What Java says of a connection, in numbers.
    static VfioException failed(String what, IOException e) {
        Errno errno = switch (e) {
            case SocketTimeoutException _ -> Errno.ETIMEDOUT;
            case EOFException _ -> Errno.ECONNRESET;
            case SSLException _ -> Errno.EACCES;
            case ConnectException _ -> Errno.ECONNREFUSED;
            case UnknownHostException _ -> Errno.ENOENT;
            default -> Errno.ECONNRESET;
        };
        return new VfioException(errno, "peer=%s %s".formatted(what, e.getMessage()));
    }

    static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            System.getLogger(TcpLink.class.getName()).log(System.Logger.Level.DEBUG, "close: {0}", e.getMessage());
        }
    }

    private void watch() {
        while (!raw.isClosed()) {
            long deadline = writeDeadline;
            if (deadline != NOT_WRITING && System.nanoTime() - deadline > 0) {
                overdue = true;
                close();
            }
            LockSupport.parkNanos(Math.min(patienceNanos / 4, TimeUnit.SECONDS.toNanos(1)));
        }
    }

    @Override
    public void write(byte[] bytes, int offset, int count) throws VfioException {
        writeDeadline = System.nanoTime() + patienceNanos | 1;
        try {
            out.write(bytes, offset, count);
        } catch (IOException e) {
            throw overdue ? new VfioException(Errno.ETIMEDOUT, "peer=%s expected=room in time".formatted(peer)) : failed(peer, e);
        } finally {
            writeDeadline = NOT_WRITING;
        }
    }

    @Override
    public void read(byte[] bytes, int offset, int count) throws VfioException {
        try {
            if (in.readNBytes(bytes, offset, count) < count) {
                throw new VfioException(Errno.ECONNRESET, "peer=%s ended the connection".formatted(peer));
            }
        } catch (IOException e) {
            throw failed(peer, e);
        }
    }

    @Override
    public String peer() {
        return peer;
    }

    /// With TLS the other side is told, unless a write is in the way: then the connection just ends.
    @Override
    public void close() {
        if (writeDeadline == NOT_WRITING) {
            closeQuietly(socket);
        }
        closeQuietly(raw);
    }
}
