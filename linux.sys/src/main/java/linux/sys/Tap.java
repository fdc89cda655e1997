// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// A TAP device: a network interface of the kernel whose wire is this descriptor (Linux, Documentation/networking/tuntap.rst). Whole
/// Ethernet frames without a header of the kernel's own and without frame check sequence. It never blocks. All methods may be called by any
/// thread.
public final class Tap implements AutoCloseable {
    private static final String DEVICE = "/dev/net/tun";
    private static final int O_RDWR = 0x2;
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;
    private static final long TUNSETIFF = 0x400454CAL;
    private static final short IFF_TAP = 0x0002;
    private static final short IFF_NO_PI = 0x1000;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,15}");

    private final Fd fd;

    private Tap(Fd fd) {
        this.fd = fd;
    }

    /// Attaches to the interface of that name, in the network namespace of the calling thread. One that does not exist is made, and goes
    /// with this object. Its address and state are its administrator's.
    ///
    /// @throws VfioException EINVAL for a name that is none; EPERM without the right to administer networks, unless the interface is this
    ///     user's; EBUSY when somebody else is attached; ENOENT when the kernel has no such devices
    public static Tap open(String name) throws VfioException {
        if (!NAME.matcher(name).matches()) {
            throw new VfioException(Errno.EINVAL, "call=tap name=" + name + " expected=1 to 15 letters, digits, dots, dashes");
        }
        try (Arena arena = Arena.ofConfined()) {
            int number = Libc.call(Libc.OPEN, arena.allocateFrom(DEVICE).address(), O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
            if (number < 0) {
                throw Libc.failure("open", number, "path=" + DEVICE);
            }
            Fd fd = Fd.own(number);
            boolean attached = false;
            try {
                MemorySegment request = arena.allocate(IfreqLayout.LAYOUT);
                byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
                MemorySegment.copy(bytes, 0, request, ValueLayout.JAVA_BYTE, IfreqLayout.NAME, bytes.length);
                request.set(ValueLayout.JAVA_SHORT, IfreqLayout.FLAGS, (short) (IFF_TAP | IFF_NO_PI));
                SysIoctl.call(fd, TUNSETIFF, request);
                attached = true;
            } finally {
                if (!attached) {
                    fd.close();
                }
            }
            return new Tap(fd);
        }
    }

    /// To wait for frames with ([Epoll]).
    public OwnedFd fd() {
        return fd;
    }

    /// Takes a frame that the kernel sent. Hot: allocates nothing.
    ///
    /// @param buffer native memory; what does not fit is cut off
    /// @return bytes, or a negative errno, such as that of EAGAIN when there is none and EIO while the interface is down
    /// @throws IndexOutOfBoundsException when the range is not inside the buffer
    public int read(MemorySegment buffer, long offset, int length) {
        return transfer(Libc.READ, buffer, offset, length);
    }

    /// Has the kernel receive a frame. Hot: allocates nothing.
    ///
    /// @return bytes, or a negative errno, such as that of EIO while the interface is down
    /// @throws IndexOutOfBoundsException when the range is not inside the buffer
    public int write(MemorySegment buffer, long offset, int length) {
        return transfer(Libc.WRITE, buffer, offset, length);
    }

    private int transfer(MemorySegment function, MemorySegment buffer, long offset, int length) {
        long address = Libc.address(buffer, offset, length);
        int number = fd.enter();
        if (number < 0) {
            return Libc.EBADF;
        }
        try {
            return (int) Libc.callLong(function, number, address, length, 0, 0, 0);
        } finally {
            fd.leave();
            Reference.reachabilityFence(buffer);
        }
    }

    /// Detaches. A second call has no effect.
    @Override
    public void close() {
        fd.close();
    }
}
