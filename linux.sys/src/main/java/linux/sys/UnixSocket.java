// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// A stream socket of this machine (AF_UNIX, SOCK_STREAM) that carries descriptors beside its bytes; listening or connected.
///
/// A connected one is for one reading and one writing thread at a time; each of the two has native arguments of its own.
/// [#close()] may be called by any thread and ends the waits of the others.
public final class UnixSocket implements AutoCloseable {
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SHUT_RDWR = 2;
    private static final int SO_TYPE = 3;
    private static final int SO_PEERCRED = 17;
    private static final int SO_ACCEPTCONN = 30;
    private static final int SO_DOMAIN = 39;
    private static final int AT_FDCWD = -100;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int STATX_MODE = 0x2;
    private static final int PERMISSIONS = 0777;
    private static final long RETRY_NANOS = 1_000_000;

    private final Fd fd;
    private final ReceiveMessage receiving = new ReceiveMessage();
    private final SendMessage sending = new SendMessage();

    private UnixSocket(Fd fd) {
        this.fd = fd;
    }

    /// Binds a new socket to a path and listens there. The file has this mode, or less of it, from the moment that it exists, and
    /// exactly this mode before anybody can connect. Removing the file, before or after, is the caller's business; after a failure
    /// this call has left none.
    ///
    /// @param mode permission bits; who may write may connect
    /// @param backlog how many connections wait to be accepted before a connect waits itself
    /// @throws VfioException EADDRINUSE when there is a file of that name, of a socket in use or not; EINVAL for a path that is
    ///         empty or longer than 107 bytes; ENOENT or EACCES for its folder
    public static UnixSocket listen(Path path, int mode, int backlog) throws VfioException {
        UnixSocket socket = open(SOCK_NONBLOCK);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = SockaddrUnLayout.encode(path, arena);
            // A socket's own mode, less the process's umask, becomes that of the file.
            socket.check(Libc.FCHMOD, "fchmod", path, mode & PERMISSIONS, 0);
            socket.check(Libc.BIND, "bind", path, address.address(), SockaddrUnLayout.LAYOUT.byteSize());
            socket.listenBound(address.asSlice(SockaddrUnLayout.PATH), path, mode & PERMISSIONS, backlog, arena);
            return socket;
        } catch (VfioException refused) {
            socket.close();
            throw refused;
        }
    }

    private void listenBound(MemorySegment name, Path path, int mode, int backlog, Arena arena) throws VfioException {
        try {
            restoreMode(name, path, mode, arena);
            check(Libc.LISTEN, "listen", path, backlog, 0);
        } catch (VfioException refused) {
            // The caller could not tell this file from one that was there before.
            Libc.call(Libc.UNLINK, name.address(), 0);
            throw refused;
        }
    }

    /// Gives the file the bits back that the umask took.
    private static void restoreMode(MemorySegment name, Path path, int mode, Arena arena) throws VfioException {
        MemorySegment statx = arena.allocate(StatxLayout.LAYOUT);
        int result = Libc.call(Libc.STATX, AT_FDCWD, name.address(), AT_SYMLINK_NOFOLLOW, STATX_MODE, statx.address(), 0);
        if (result == 0 && (statx.get(ValueLayout.JAVA_SHORT, StatxLayout.MODE) & PERMISSIONS) != mode) {
            result = Libc.call(Libc.FCHMODAT, AT_FDCWD, name.address(), mode, AT_SYMLINK_NOFOLLOW);
        }
        if (result < 0) {
            throw Libc.failure("fchmodat", result, "mode=0" + Integer.toOctalString(mode) + " path=" + path);
        }
    }

    /// Connects to a listening socket. Waits while its backlog is full.
    ///
    /// @throws VfioException ENOENT when there is no such file, ECONNREFUSED when nobody listens there, EACCES when its mode forbids it,
    ///         EINVAL for a path that is empty or longer than 107 bytes
    public static UnixSocket connect(Path path) throws VfioException {
        UnixSocket socket = open(0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = SockaddrUnLayout.encode(path, arena);
            socket.check(Libc.CONNECT, "connect", path, address.address(), SockaddrUnLayout.LAYOUT.byteSize());
            return socket;
        } catch (VfioException refused) {
            socket.close();
            throw refused;
        }
    }

    /// As [#connect(Path)], but waits no longer than that for room in the backlog.
    ///
    /// @throws VfioException ETIMEDOUT when the time ran out; else as [#connect(Path)]
    public static UnixSocket connect(Path path, Duration timeout) throws VfioException {
        long deadline = System.nanoTime() + Deadline.nanos(timeout);
        UnixSocket socket = open(SOCK_NONBLOCK);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = SockaddrUnLayout.encode(path, arena);
            while (!socket.connectNow(address, path)) {
                if (System.nanoTime() - deadline >= 0) {
                    throw new VfioException(Errno.ETIMEDOUT, "call=connect path=" + path + " expected=room in its backlog");
                }
                // Nothing tells when there is room.
                LockSupport.parkNanos(RETRY_NANOS);
            }
            socket.fd.setNonBlocking(false);
            return socket;
        } catch (VfioException refused) {
            socket.close();
            throw refused;
        }
    }

    private boolean connectNow(MemorySegment address, Path path) throws VfioException {
        try {
            check(Libc.CONNECT, "connect", path, address.address(), SockaddrUnLayout.LAYOUT.byteSize());
            return true;
        } catch (VfioException e) {
            if (e.errno() == Errno.EAGAIN) {
                return false;
            }
            throw e;
        }
    }

    /// A socket that came from somebody else, listening or connected.
    ///
    /// @param taken taken; of a stream socket, which is not checked: a receive, send or accept tells
    public static UnixSocket over(Fd taken) {
        return new UnixSocket(taken);
    }

    /// A socket that this process was started with and that listens already. It does not wait in [#tryAccept()] from now on, and neither
    /// does anybody else who has it.
    ///
    /// @param number taken, unless this throws
    /// @throws VfioException EBADF when that is no descriptor of a listening AF_UNIX stream socket
    public static UnixSocket inherited(int number) throws VfioException {
        boolean listening = number >= 0 && option(number, SO_DOMAIN) == SockaddrUnLayout.AF_UNIX
            && option(number, SO_TYPE) == SOCK_STREAM && option(number, SO_ACCEPTCONN) == 1;
        if (!listening) {
            throw new VfioException(Errno.EBADF, "fd=%d expected=a listening UNIX socket".formatted(number));
        }
        Fd fd = Fd.own(number);
        fd.setNonBlocking(true);
        return new UnixSocket(fd);
    }

    /// An option of the socket layer; negative when it has none, as what is no socket.
    private static int option(int number, int option) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, Integer.BYTES);
            int result = Libc.call(Libc.GETSOCKOPT, number, CmsghdrLayout.SOL_SOCKET, option, value.address(), length.address(), 0);
            return result < 0 ? result : value.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /// Two sockets, connected with each other.
    public static UnixSocket[] pair() throws VfioException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(ValueLayout.JAVA_INT, 2);
            int result = Libc.call(Libc.SOCKETPAIR, SockaddrUnLayout.AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, numbers.address());
            if (result < 0) {
                throw Libc.failure("socketpair", result, "domain=unix");
            }
            return new UnixSocket[] {
                new UnixSocket(Fd.own(numbers.getAtIndex(ValueLayout.JAVA_INT, 0))),
                new UnixSocket(Fd.own(numbers.getAtIndex(ValueLayout.JAVA_INT, 1)))};
        }
    }

    private static UnixSocket open(int flags) throws VfioException {
        int number = Libc.call(Libc.SOCKET, SockaddrUnLayout.AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
        if (number < 0) {
            throw Libc.failure("socket", number, "domain=unix");
        }
        return new UnixSocket(Fd.own(number));
    }

    private void check(MemorySegment function, String call, Path path, long a, long b) throws VfioException {
        int number = Fd.enter(fd);
        int result;
        try {
            do {
                result = Libc.call(function, number, a, b);
            } while (result == Libc.EINTR);
        } finally {
            fd.leave();
        }
        if (result < 0) {
            throw Libc.failure(call, result, "path=" + path);
        }
    }

    /// Waits for a connection and takes it.
    ///
    /// @throws VfioException ECANCELED when this socket was closed, before or meanwhile; EMFILE when the process has no number left
    public UnixSocket accept() throws VfioException {
        while (true) {
            Optional<UnixSocket> accepted = tryAccept();
            if (accepted.isPresent()) {
                return accepted.get();
            }
            int number = fd.enter();
            if (number >= 0) {
                try {
                    int seen = Poll.await(number, Poll.IN, -1);
                    if (seen < 0 && seen != Libc.EINTR) {
                        throw Libc.failure("poll", seen, "fd=" + number);
                    }
                } finally {
                    fd.leave();
                }
            }
        }
    }

    /// Takes a connection if one is there; never waits.
    ///
    /// @throws VfioException as [#accept()]
    public Optional<UnixSocket> tryAccept() throws VfioException {
        int number = fd.enter();
        if (number < 0) {
            throw new VfioException(Errno.ECANCELED, "call=accept4 fd=closed");
        }
        int accepted;
        try {
            do {
                accepted = Libc.call(Libc.ACCEPT4, number, 0, 0, SOCK_CLOEXEC);
            } while (accepted == Libc.EINTR);
        } finally {
            fd.leave();
        }
        if (accepted >= 0) {
            return Optional.of(new UnixSocket(Fd.own(accepted)));
        }
        if (accepted == Libc.EAGAIN) {
            return Optional.empty();
        }
        if (fd.isClosed()) {
            throw new VfioException(Errno.ECANCELED, "call=accept4 fd=closed");
        }
        throw Libc.failure("accept4", accepted, "fd=" + number);
    }

    /// Who is at the other end.
    ///
    /// @throws VfioException when the kernel does not say
    public PeerCredentials peer() throws VfioException {
        int number = Fd.enter(fd);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ucred = arena.allocate(UcredLayout.LAYOUT);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) UcredLayout.LAYOUT.byteSize());
            int result = Libc.call(Libc.GETSOCKOPT, number, CmsghdrLayout.SOL_SOCKET, SO_PEERCRED, ucred.address(), length.address(), 0);
            if (result < 0) {
                throw Libc.failure("getsockopt", result, "fd=" + number + " option=SO_PEERCRED");
            }
            return UcredLayout.decode(ucred);
        } finally {
            fd.leave();
        }
    }

    /// The descriptor, which stays this object's; to be waited for, or handed on.
    public OwnedFd fd() {
        return fd;
    }

    /// Receives what is there, up to `length` bytes, with the descriptors that came beside it. Hot: allocates nothing.
    ///
    /// Descriptors arrive close-on-exec and belong to the last byte of this receive: the kernel does not read on past bytes which
    /// brought some.
    ///
    /// @param buffer native memory that stays alive meanwhile
    /// @param length more than 0
    /// @param fds appended to; on every error unchanged
    /// @param wait whether to wait while there is nothing
    /// @return bytes; 0 at the end of the file; or a negative errno: -EAGAIN when there is nothing, -ECONNRESET, -EBADF after the close
    /// @throws IndexOutOfBoundsException when the range is not inside the buffer
    /// @throws IllegalArgumentException for a length of 0, a buffer on the heap or a read-only one
    public int receive(MemorySegment buffer, long offset, int length, ReceivedFds fds, boolean wait) {
        long address = Libc.address(buffer, offset, length);
        if (length == 0 || buffer.isReadOnly()) {
            throw new IllegalArgumentException("nothing can be received into this buffer");
        }
        int number = fd.enter();
        if (number < 0) {
            return Libc.EBADF;
        }
        try {
            return receiving.receive(number, address, length, fds, wait);
        } finally {
            fd.leave();
            Reference.reachabilityFence(buffer);
        }
    }

    /// Sends bytes, possibly fewer than `length`. Hot: allocates nothing, raises no SIGPIPE.
    ///
    /// @param buffer native memory that stays alive meanwhile
    /// @param wait whether to wait while there is no room
    /// @return bytes taken; or a negative errno: -EAGAIN when there is no room, -EPIPE, -ECONNRESET, -EBADF after the close
    /// @throws IndexOutOfBoundsException when the range is not inside the buffer
    /// @throws IllegalArgumentException for a buffer on the heap
    public int send(MemorySegment buffer, long offset, int length, boolean wait) {
        long address = Libc.address(buffer, offset, length);
        int number = fd.enter();
        if (number < 0) {
            return Libc.EBADF;
        }
        try {
            return SendMessage.send(number, address, length, wait);
        } finally {
            fd.leave();
            Reference.reachabilityFence(buffer);
        }
    }

    /// Sends two ranges one after the other in one call, otherwise as [#send].
    public int send2(MemorySegment buffer1, long offset1, int length1, MemorySegment buffer2, long offset2, int length2, boolean wait) {
        long address1 = Libc.address(buffer1, offset1, length1);
        long address2 = Libc.address(buffer2, offset2, length2);
        int number = fd.enter();
        if (number < 0) {
            return Libc.EBADF;
        }
        try {
            return sending.send2(number, address1, length1, address2, length2, wait);
        } finally {
            fd.leave();
            Reference.reachabilityFence(buffer1);
            Reference.reachabilityFence(buffer2);
        }
    }

    /// Sends bytes with descriptors beside them, otherwise as [#send]. When at least one byte was taken all descriptors were; the
    /// rest of the bytes is for [#send]. The receiver gets duplicates: what is sent stays its owner's.
    ///
    /// @param length more than 0: descriptors do not travel alone
    /// @param numbers the descriptors, from index 0
    /// @param fdCount how many of them, at most 253
    /// @return as [#send]; -EINVAL for a length of 0 or too many descriptors, -EBADF when one of them is not open
    public int sendWithFds(MemorySegment buffer, long offset, int length, int[] numbers, int fdCount, boolean wait) {
        long address = Libc.address(buffer, offset, length);
        Objects.checkFromIndexSize(0, fdCount, numbers.length);
        if (length == 0 || fdCount > SendMessage.MOST_FDS) {
            return Libc.EINVAL;
        }
        int number = fd.enter();
        if (number < 0) {
            return Libc.EBADF;
        }
        try {
            return sending.sendWithFds(number, address, length, numbers, fdCount, wait);
        } finally {
            fd.leave();
            Reference.reachabilityFence(buffer);
        }
    }

    /// Closes the socket; a second call has no effect. Threads that wait in it return: a receive with 0, a send with -EPIPE, an accept
    /// with ECANCELED.
    @Override
    public void close() {
        int number = fd.enter();
        if (number < 0) {
            return;
        }
        try {
            if (fd.endEntry() > 0) {
                Libc.call(Libc.SHUTDOWN, number, SHUT_RDWR);
            }
        } finally {
            fd.leave();
        }
    }
}
