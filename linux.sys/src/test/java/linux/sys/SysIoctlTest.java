// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static linux.sys.Errors.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

class SysIoctlTest {
    /// Bytes to be read; the same number on x86-64 and aarch64.
    private static final long FIONREAD = 0x541B;
    private static final long TIOCGWINSZ = 0x5413;

    @Test
    void reportsARequestTheDeviceDoesNotKnow() throws VfioException {
        try (Fd fd = Memfd.create("test", 1, false); Arena arena = Arena.ofConfined()) {
            VfioException failure = assertFails(Errno.ENOTTY, "ioctl", () -> SysIoctl.call(fd, TIOCGWINSZ, arena.allocate(8)));
            assertThat(failure).hasMessageContaining("request=0x5413");
        }
    }

    @Test
    void reportsABadAddress() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        try (UnixSocket near = pair[0]; UnixSocket far = pair[1]) {
            assertThat(far).isNotNull();
            assertFails(Errno.EFAULT, "ioctl", () -> SysIoctl.call(near.fd(), FIONREAD, MemorySegment.NULL));
        }
    }

    @Test
    void rejectsClosedDescriptorAndHeapMemory() throws VfioException {
        Fd fd = Memfd.create("test", 1, false);
        assertThatIllegalArgumentException().isThrownBy(() -> SysIoctl.call(fd, FIONREAD, MemorySegment.ofArray(new int[1])));
        fd.close();
        assertThatIllegalStateException().isThrownBy(() -> SysIoctl.call(fd, FIONREAD, MemorySegment.NULL));
    }

    @Test
    void fillsTheArgument() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        try (UnixSocket near = pair[0]; UnixSocket far = pair[1]; Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            assertThat(near.send(arena.allocate(100), 0, 77, true)).isEqualTo(77);
            assertThat(SysIoctl.call(far.fd(), FIONREAD, count)).isZero();
            assertThat(count.get(ValueLayout.JAVA_INT, 0)).isEqualTo(77);
        }
    }
}
