// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// A kernel counter to wake somebody with (eventfd): another thread, another process, or a guest's interrupt by way of KVM. All
/// methods may be called by any thread.
public final class EventFd implements AutoCloseable {
    private static final int EFD_CLOEXEC = 0x80000;
    private static final int EFD_NONBLOCK = 0x800;
    private static final int RWF_NOWAIT = 0x8;
    private static final byte[] LINK_TARGET = "anon_inode:[eventfd]".getBytes(StandardCharsets.US_ASCII);

    private static final MemorySegment ONE = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, 1L);

    private final Fd fd;
    /// Whether another process has the file too, and with it the say over its O_NONBLOCK flag and its count.
    private final boolean foreign;

    private EventFd(Fd fd, boolean foreign) {
        this.fd = fd;
        this.foreign = foreign;
    }

    /// A new one, at zero.
    ///
    /// @throws VfioException EMFILE when the process has no number left
    public static EventFd create() throws VfioException {
        int number = Libc.call(Libc.EVENTFD, 0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (number < 0) {
            throw Libc.failure("eventfd", number, "count=0x0");
        }
        return new EventFd(Fd.own(number), false);
    }

    /// One that came from somebody else. Its O_NONBLOCK flag is left alone: the flag is that of all who share the file, and one of
    /// them may wait in a read.
    ///
    /// @param taken taken, and closed when it is refused
    /// @throws VfioException EINVAL for a descriptor of anything but an eventfd: a write could block there, or do worse
    public static EventFd over(OwnedFd taken) throws VfioException {
        Fd fd = taken instanceof Fd own ? own : duplicateAndClose(taken);
        try {
            if (!isEventFd(fd)) {
                throw new VfioException(Errno.EINVAL, "call=eventfd fd=" + fd.number() + " expected=eventfd");
            }
        } catch (VfioException refused) {
            fd.close();
            throw refused;
        }
        return new EventFd(fd, true);
    }

    private static Fd duplicateAndClose(OwnedFd taken) throws VfioException {
        try (taken) {
            return Fd.duplicate(taken);
        }
    }

    private static boolean isEventFd(Fd fd) throws VfioException {
        int number = Fd.enter(fd);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom("/proc/self/fd/" + number);
            MemorySegment target = arena.allocate(LINK_TARGET.length + 1);
            long length = Libc.callLong(Libc.READLINK, path.address(), target.address(), target.byteSize(), 0, 0, 0);
            if (length < 0) {
                throw Libc.failure("readlink", length, "path=/proc/self/fd/" + number);
            }
            return MemorySegment.ofArray(LINK_TARGET).mismatch(target.asSlice(0, length)) == -1;
        } finally {
            fd.leave();
        }
    }

    /// Adds one. Hot: allocates nothing and does not wait. Where the counter is full the event is pending in any case, and after
    /// the close there is nobody to tell: both are ignored.
    ///
    /// A client may clear O_NONBLOCK and fill the counter, to hang whoever signals. For an eventfd from outside the room is
    /// therefore looked at before each write; a client that fills it just between the two holds the caller until [#close()]
    /// sets it free.
    public void signal() {
        int number = fd.enter();
        if (number < 0) {
            return;
        }
        try {
            if (!foreign || hasRoom(number)) {
                writeOne(number);
            }
        } finally {
            fd.leave();
        }
    }

    private static boolean hasRoom(int number) {
        return (Poll.await(number, Poll.OUT, 0) & Poll.OUT) != 0;
    }

    static long writeOne(int number) {
        return Libc.callLong(Libc.WRITE, number, ONE.address(), Long.BYTES, 0, 0, 0);
    }

    /// Takes the count and sets it to zero. Hot: allocates nothing and never waits.
    ///
    /// @return the count, [Long#MAX_VALUE] for anything above it; 0 when there was nothing; or a negative errno: -EBADF after the close
    public long read() {
        int number = fd.enter();
        if (number < 0) {
            return Libc.EBADF;
        }
        try {
            return drain(number);
        } finally {
            fd.leave();
        }
    }

    /// Reads without waiting, whatever O_NONBLOCK says.
    private static long drain(int number) {
        MemorySegment memory = Libc.scratch();
        long iovec = Libc.scratchOffset();
        long count = iovec + IovecLayout.BYTES;
        memory.set(ValueLayout.JAVA_LONG, iovec + IovecLayout.BASE, memory.address() + count);
        memory.set(ValueLayout.JAVA_LONG, iovec + IovecLayout.LEN, Long.BYTES);
        long result = Libc.callLong(Libc.PREADV2, number, memory.address() + iovec, 1, -1, RWF_NOWAIT, 0);
        long value = memory.get(ValueLayout.JAVA_LONG, count);
        Reference.reachabilityFence(memory);
        if (result == Long.BYTES) {
            return value < 0 ? Long.MAX_VALUE : value;
        }
        return result == Libc.EAGAIN ? 0 : result;
    }

    /// Waits until the count is not zero, and leaves it as it is. A close by another thread does not end the wait.
    ///
    /// @return false when the time ran out
    public boolean await(Duration timeout) throws VfioException {
        long deadline = System.nanoTime() + Deadline.nanos(timeout);
        int number = Fd.enter(fd);
        try {
            while (true) {
                int seen = Poll.await(number, Poll.IN, Deadline.millisUntil(deadline));
                if (seen > 0) {
                    return (seen & Poll.IN) != 0;
                }
                if (seen < 0 && seen != Libc.EINTR) {
                    throw Libc.failure("poll", seen, "fd=" + number);
                }
                if (System.nanoTime() - deadline >= 0) {
                    return false;
                }
            }
        } finally {
            fd.leave();
        }
    }

    /// The descriptor, which stays this object's.
    public OwnedFd fd() {
        return fd;
    }

    /// Closes the descriptor; a second call has no effect. A thread held in [#signal()] by a full counter is set free.
    @Override
    public void close() {
        int number = fd.enter();
        if (number < 0) {
            return;
        }
        try {
            // Only a full counter is emptied: a count that a guest has yet to see stays.
            if (fd.endEntry() > 0 && foreign && !hasRoom(number)) {
                drain(number);
            }
        } finally {
            fd.leave();
        }
    }
}
