// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// Requests to a device file (ioctl).
public final class SysIoctl {
    private SysIoctl() {
    }

    /// Makes a request. May be called by any thread; may wait as long as the device likes.
    ///
    /// @param request the number, with its direction and size bits
    /// @param argument native memory as the request wants it, or [MemorySegment#NULL]
    /// @return what the device answered, not negative
    /// @throws VfioException with the device's errno: ENOTTY when it does not know the request
    public static long call(OwnedFd fd, long request, MemorySegment argument) throws VfioException {
        long address = Libc.address(argument, 0, argument.byteSize());
        int number = Fd.enter(fd);
        int result;
        try {
            result = Libc.call(Libc.IOCTL, number, request, address);
        } finally {
            Fd.leave(fd);
            Reference.reachabilityFence(argument);
        }
        if (result < 0) {
            throw Libc.failure("ioctl", result, "fd=" + number + " request=0x" + Long.toHexString(request));
        }
        return result;
    }
}
