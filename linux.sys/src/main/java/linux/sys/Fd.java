// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// A file descriptor of this process and its one owner.
///
/// Calls of this bundle count themselves in and out of a descriptor. [#close()] lets no further call in, and the last one
/// out gives the number back; without that a late call could reach whatever file got the same number next. All methods may
/// be called by any thread.
public final class Fd implements OwnedFd {
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int O_NONBLOCK = 0x800;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_INO = 0x100;
    private static final int STATX_SIZE = 0x200;

    /// Set in [#users] once closed; the other bits count the calls inside.
    private static final int CLOSED = Integer.MIN_VALUE;

    private static final MemorySegment EMPTY_PATH = Arena.global().allocate(1);

    private final int number;
    private final AtomicInteger users = new AtomicInteger();

    private Fd(int number) {
        this.number = number;
    }

    /// Takes the ownership of a descriptor that is open and that nobody else will close.
    ///
    /// @throws IllegalArgumentException when the number is negative
    public static Fd own(int number) {
        if (number < 0) {
            throw new IllegalArgumentException("number=" + number);
        }
        return new Fd(number);
    }

    @Override
    public int number() {
        if (isClosed()) {
            throw closed();
        }
        return number;
    }

    /// A second descriptor of the same open file, with close-on-exec set. It shares offset and status flags with this one.
    ///
    /// @throws VfioException EMFILE when the process has no number left
    public Fd duplicate() throws VfioException {
        return duplicate(this);
    }

    /// As [#duplicate()], of any owner's.
    static Fd duplicate(OwnedFd fd) throws VfioException {
        return own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    }

    /// The size of the file in bytes; 0 for what has none.
    public long size() throws VfioException {
        return size(this);
    }

    /// As [#size()], of any owner's.
    public static long size(OwnedFd fd) throws VfioException {
        return statx(fd, STATX_SIZE).get(ValueLayout.JAVA_LONG, Libc.scratchOffset() + StatxLayout.SIZE);
    }

    /// Which file it is of.
    public static FileIdentity identity(OwnedFd fd) throws VfioException {
        int flags = fcntl(fd, F_GETFL, 0);
        MemorySegment scratch = statx(fd, STATX_INO);
        long at = Libc.scratchOffset();
        return new FileIdentity(scratch.get(ValueLayout.JAVA_INT, at + StatxLayout.DEV_MAJOR),
            scratch.get(ValueLayout.JAVA_INT, at + StatxLayout.DEV_MINOR), scratch.get(ValueLayout.JAVA_LONG, at + StatxLayout.INO), flags);
    }

    /// The answer is in the scratch memory of the thread.
    private static MemorySegment statx(OwnedFd fd, int what) throws VfioException {
        MemorySegment scratch = Libc.scratch();
        int result;
        int inside = enter(fd);
        try {
            long statx = scratch.address() + Libc.scratchOffset();
            result = Libc.call(Libc.STATX, inside, EMPTY_PATH.address(), AT_EMPTY_PATH, what, statx, 0);
        } finally {
            leave(fd);
        }
        if (result < 0) {
            throw Libc.failure("statx", result, "fd=" + inside);
        }
        return scratch;
    }

    /// Reads at an offset, of any owner's descriptor. Hot: allocates nothing.
    ///
    /// @param buffer native memory that stays alive meanwhile
    /// @return bytes, possibly fewer than `length`; 0 at the end of the file; or a negative errno
    /// @throws IndexOutOfBoundsException when the range is not inside the buffer
    public static int readAt(OwnedFd fd, long offset, MemorySegment buffer, long bufferOffset, int length) {
        return transfer(Libc.PREAD, fd, offset, Libc.address(buffer, bufferOffset, length), length, buffer);
    }

    /// Writes at an offset, otherwise as [#readAt].
    public static int writeAt(OwnedFd fd, long offset, MemorySegment buffer, long bufferOffset, int length) {
        return transfer(Libc.PWRITE, fd, offset, Libc.address(buffer, bufferOffset, length), length, buffer);
    }

    private static int transfer(MemorySegment function, OwnedFd fd, long offset, long address, int length, MemorySegment buffer) {
        int inside = enter(fd);
        try {
            int result;
            do {
                result = (int) Libc.callLong(function, inside, address, length, offset, 0, 0);
            } while (result == Libc.EINTR);
            return result;
        } finally {
            leave(fd);
            Reference.reachabilityFence(buffer);
        }
    }

    /// Sets the size of the file in bytes.
    ///
    /// @throws VfioException EINVAL for a negative size or a file that has none, EPERM when a seal forbids it
    public void truncate(long size) throws VfioException {
        int inside = enter(this);
        int result;
        try {
            result = Libc.call(Libc.FTRUNCATE, inside, size);
        } finally {
            leave();
        }
        if (result < 0) {
            throw Libc.failure("ftruncate", result, "fd=" + number + " size=0x" + Long.toHexString(size));
        }
    }

    /// Sets or clears O_NONBLOCK of the open file, for all descriptors that share it.
    public void setNonBlocking(boolean nonBlocking) throws VfioException {
        int flags = fcntl(this, F_GETFL, 0);
        fcntl(this, F_SETFL, nonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
    }

    @Override
    public void close() {
        if (enter() >= 0) {
            endEntry();
            leave();
        }
    }

    /// fcntl with an integer argument.
    static int fcntl(OwnedFd fd, int command, long argument) throws VfioException {
        int inside = enter(fd);
        int result;
        try {
            result = Libc.call(Libc.FCNTL, inside, command, argument);
        } finally {
            leave(fd);
        }
        if (result < 0) {
            throw Libc.failure("fcntl", result, "fd=" + inside + " command=0x" + Integer.toHexString(command)
                    + " argument=0x" + Long.toHexString(argument));
        }
        return result;
    }

    boolean isClosed() {
        return users.get() < 0;
    }

    /// Begins a call with this descriptor: its number, or -1 when it was closed. Each success is followed by one [#leave()].
    int enter() {
        int seen = users.get();
        while (seen >= 0) {
            if (users.compareAndSet(seen, seen + 1)) {
                return number;
            }
            seen = users.get();
        }
        return -1;
    }

    /// Ends a call. The last one after the close gives the number back: no call enters then, so zero is reached once.
    void leave() {
        if (users.decrementAndGet() == CLOSED) {
            // Linux frees the number whatever close answers; a second try would hit another file.
            Libc.call(Libc.CLOSE, number, 0);
        }
    }

    /// Lets no further call in, by a caller that is inside itself: the number of *other* calls which are.
    int endEntry() {
        int seen = users.get();
        while (!users.compareAndSet(seen, seen | CLOSED)) {
            seen = users.get();
        }
        return (seen & ~CLOSED) - 1;
    }

    /// As [#enter()], for a call that may not find the descriptor closed, and for any owner.
    static int enter(OwnedFd fd) {
        if (!(fd instanceof Fd own)) {
            return fd.number();
        }
        int number = own.enter();
        if (number < 0) {
            throw closed();
        }
        return number;
    }

    /// The other end of [#enter(OwnedFd)].
    static void leave(OwnedFd fd) {
        if (fd instanceof Fd own) {
            own.leave();
        }
    }

    private static IllegalStateException closed() {
        return new IllegalStateException("descriptor was closed");
    }

    @Override
    public String toString() {
        return isClosed() ? "fd closed" : "fd " + number;
    }
}
