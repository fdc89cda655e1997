// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api;

/// Linux error numbers that cross a border of this system: a client sees them in replies, a mediator throws them.
/// Values are those of `asm-generic/errno-base.h` and `errno.h` and never change.
public enum Errno {
    /// Operation not permitted.
    EPERM(1),
    /// No such file or directory.
    ENOENT(2),
    /// Interrupted system call.
    EINTR(4),
    /// Input/output error: a device or a mediation failed.
    EIO(5),
    /// No such device or address.
    ENXIO(6),
    /// Argument list too long.
    E2BIG(7),
    /// Bad file descriptor.
    EBADF(9),
    /// Try again: nothing to be had without waiting.
    EAGAIN(11),
    /// Out of memory, or a limit on memory reached.
    ENOMEM(12),
    /// Permission denied.
    EACCES(13),
    /// Bad address.
    EFAULT(14),
    /// Device or resource busy.
    EBUSY(16),
    /// File exists, or a mapping does.
    EEXIST(17),
    /// No such device.
    ENODEV(19),
    /// Invalid argument.
    EINVAL(22),
    /// Too many open files.
    EMFILE(24),
    /// Inappropriate ioctl for device: Linux's answer to an unknown VFIO operation.
    ENOTTY(25),
    /// No space left.
    ENOSPC(28),
    /// Read-only.
    EROFS(30),
    /// Broken pipe.
    EPIPE(32),
    /// Numerical result out of range.
    ERANGE(34),
    /// Resource deadlock avoided.
    EDEADLK(35),
    /// Function not implemented.
    ENOSYS(38),
    /// No message of the desired type: nothing new in a stream that has not ended.
    ENOMSG(42),
    /// Protocol error.
    EPROTO(71),
    /// Message too long.
    EMSGSIZE(90),
    /// Operation not supported.
    EOPNOTSUPP(95),
    /// Address already in use.
    EADDRINUSE(98),
    /// Connection reset by peer.
    ECONNRESET(104),
    /// No buffer space available.
    ENOBUFS(105),
    /// Timed out.
    ETIMEDOUT(110),
    /// Connection refused.
    ECONNREFUSED(111),
    /// Operation was cancelled.
    ECANCELED(125),
    /// Any number not named here; its value is kept in the message of the exception.
    EUNKNOWN(0xFFF);

    private static final Errno[] BY_VALUE = new Errno[134];

    static {
        for (Errno errno : values()) {
            if (errno.value < BY_VALUE.length) {
                BY_VALUE[errno.value] = errno;
            }
        }
    }

    private final int value;

    Errno(int value) {
        this.value = value;
    }

    /// The number as Linux has it, positive.
    public int value() {
        return value;
    }

    /// The errno of that number; [#EUNKNOWN] for one not named here.
    public static Errno of(int value) {
        Errno errno = value > 0 && value < BY_VALUE.length ? BY_VALUE[value] : null;
        return errno == null ? EUNKNOWN : errno;
    }
}
