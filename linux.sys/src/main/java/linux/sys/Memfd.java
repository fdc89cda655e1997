// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// Files which live in memory only (memfd_create): what backs BARs and guest memory, and what is handed to another process to
/// be mapped there. All methods may be called by any thread.
public final class Memfd {
    /// `F_SEAL_SEAL`: no further seals.
    public static final int SEAL_SEAL = 0x1;
    /// `F_SEAL_SHRINK`: a mapping never loses the page below it.
    public static final int SEAL_SHRINK = 0x2;
    /// `F_SEAL_GROW`.
    public static final int SEAL_GROW = 0x4;
    /// `F_SEAL_WRITE`.
    public static final int SEAL_WRITE = 0x8;
    /// `F_SEAL_FUTURE_WRITE`: mappings made before stay writable.
    public static final int SEAL_FUTURE_WRITE = 0x10;

    private static final int MFD_CLOEXEC = 0x1;
    private static final int MFD_ALLOW_SEALING = 0x2;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_GET_SEALS = 1034;

    private Memfd() {
    }

    /// A new file of zeros.
    ///
    /// @param name what `/proc/PID/maps` shows; need not be unique, at most 249 bytes
    /// @param size in bytes
    /// @param sealed whether its size can never change again: whoever maps it is then safe from a fault by truncation
    /// @throws VfioException EINVAL for a name too long or a negative size, EMFILE when the process has no number left
    public static Fd create(String name, long size, boolean sealed) throws VfioException {
        int number;
        try (Arena arena = Arena.ofConfined()) {
            int flags = MFD_CLOEXEC | (sealed ? MFD_ALLOW_SEALING : 0);
            number = Libc.call(Libc.MEMFD_CREATE, arena.allocateFrom(name).address(), flags);
        }
        if (number < 0) {
            throw Libc.failure("memfd_create", number, "name=" + name);
        }
        Fd fd = Fd.own(number);
        try {
            fd.truncate(size);
            if (sealed) {
                Fd.fcntl(fd, F_ADD_SEALS, SEAL_SHRINK | SEAL_GROW | SEAL_SEAL);
            }
        } catch (VfioException refused) {
            fd.close();
            throw refused;
        }
        return fd;
    }

    /// The seals of a file as bits, or -1 for a file that knows none, such as one on a disk.
    public static int seals(OwnedFd fd) throws VfioException {
        int number = Fd.enter(fd);
        int result;
        try {
            result = Libc.call(Libc.FCNTL, number, F_GET_SEALS, 0);
        } finally {
            Fd.leave(fd);
        }
        if (result == -Errno.EINVAL.value()) {
            return -1;
        }
        if (result < 0) {
            throw Libc.failure("fcntl", result, "fd=" + number + " command=F_GET_SEALS");
        }
        return result;
    }
}
