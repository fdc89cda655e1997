// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// A set of descriptors to wait for together (epoll). [#await] is for one thread at a time with one [Ready]; the other methods may be
/// called by any thread at any time, also while one waits.
public final class Epoll implements AutoCloseable {
    /// `EPOLLIN`: there is something to read, a connection to accept, or the end of the file.
    public static final int IN = 0x1;
    /// `EPOLLOUT`: there is room to write.
    public static final int OUT = 0x4;
    /// `EPOLLERR`; always reported.
    public static final int ERR = 0x8;
    /// `EPOLLHUP`: both directions are shut; always reported.
    public static final int HUP = 0x10;
    /// `EPOLLRDHUP`: the peer will send no more.
    public static final int RDHUP = 0x2000;
    /// `EPOLLONESHOT`: after one report silent until [#modify].
    public static final int ONESHOT = 1 << 30;
    /// `EPOLLET`: reported when it changes, not while it lasts.
    public static final int ET = 1 << 31;

    private static final int EPOLL_CLOEXEC = 0x80000;
    private static final int CTL_ADD = 1;
    private static final int CTL_DEL = 2;
    private static final int CTL_MOD = 3;

    private final Fd fd;

    private Epoll(Fd fd) {
        this.fd = fd;
    }

    /// An empty set.
    ///
    /// @throws VfioException EMFILE when the process has no number left
    public static Epoll create() throws VfioException {
        int number = Libc.call(Libc.EPOLL_CREATE1, EPOLL_CLOEXEC, 0);
        if (number < 0) {
            throw Libc.failure("epoll_create1", number, "flags=0x" + Integer.toHexString(EPOLL_CLOEXEC));
        }
        return new Epoll(Fd.own(number));
    }

    /// Adds a descriptor. The kernel takes it out by itself when its open file is closed, that is, with the last of its duplicates.
    ///
    /// @param data what is handed back with each report
    /// @throws VfioException EEXIST when it is in the set, EPERM for a file that cannot be waited for
    public void add(OwnedFd watched, int events, long data) throws VfioException {
        control(CTL_ADD, "add", watched, events, data);
    }

    /// Changes what is waited for, and arms a [#ONESHOT] anew.
    ///
    /// @throws VfioException ENOENT when it is not in the set
    public void modify(OwnedFd watched, int events, long data) throws VfioException {
        control(CTL_MOD, "modify", watched, events, data);
    }

    /// Takes a descriptor out. What [#await] has returned of it before is still in its [Ready].
    ///
    /// @throws VfioException ENOENT when it is not in the set
    public void remove(OwnedFd watched) throws VfioException {
        control(CTL_DEL, "remove", watched, 0, 0);
    }

    private void control(int operation, String name, OwnedFd watched, int events, long data) throws VfioException {
        int set = Fd.enter(fd);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(EpollEventLayout.LAYOUT);
            event.set(ValueLayout.JAVA_INT, EpollEventLayout.EVENTS, events);
            event.set(ValueLayout.JAVA_LONG_UNALIGNED, EpollEventLayout.DATA, data);
            int number = Fd.enter(watched);
            try {
                int result = Libc.call(Libc.EPOLL_CTL, set, operation, number, event.address());
                if (result < 0) {
                    throw Libc.failure("epoll_ctl", result, "operation=" + name + " fd=" + number
                            + " events=0x" + Integer.toHexString(events));
                }
            } finally {
                Fd.leave(watched);
            }
        } finally {
            fd.leave();
        }
    }

    /// Waits until something is to be reported. Hot: allocates nothing. To end a wait without end, signal an [EventFd] of the set.
    ///
    /// @param ready overwritten with the reports, from index 0
    /// @param timeoutMillis 0 not to wait, -1 to wait without end
    /// @return how many reports there are; 0 when the time ran out or a signal came; or a negative errno: -EBADF after the close
    public int await(Ready ready, int timeoutMillis) {
        int number = fd.enter();
        if (number < 0) {
            return Libc.EBADF;
        }
        try {
            return ready.fill(number, timeoutMillis);
        } finally {
            fd.leave();
        }
    }

    /// The set's own descriptor, which stays this object's; readable when there is something to report.
    public OwnedFd fd() {
        return fd;
    }

    /// Closes the set; a second call has no effect. A thread that waits is not woken: the descriptor stays until it returns.
    @Override
    public void close() {
        fd.close();
    }
}
