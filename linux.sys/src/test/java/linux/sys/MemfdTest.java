// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static linux.sys.Errors.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

class MemfdTest {
    @Test
    void rejectsNameTooLong() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> assertFails(Errno.EINVAL, "memfd_create", () -> Memfd.create("x".repeat(250), 1, false)));
    }

    @Test
    void rejectsNegativeSizeAndClosesTheFile() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> assertFails(Errno.EINVAL, "ftruncate", () -> Memfd.create("test", -1, true)));
    }

    @Test
    void reportsThatThereAreNoNumbersLeft() throws VfioException, InterruptedException {
        Descriptors.withFree(0, () -> Memfd.create("test", 1, false).close(),
                () -> assertFails(Errno.EMFILE, "memfd_create", () -> Memfd.create("test", 1, false)));
    }

    @Test
    void sealedFileKeepsItsSize() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            try (Fd fd = Memfd.create("test", 8192, true)) {
                assertThat(Memfd.seals(fd)).isEqualTo(Memfd.SEAL_SHRINK | Memfd.SEAL_GROW | Memfd.SEAL_SEAL);
                assertFails(Errno.EPERM, "ftruncate", () -> fd.truncate(4096));
                assertFails(Errno.EPERM, "ftruncate", () -> fd.truncate(16384));
                assertThat(fd.size()).isEqualTo(8192);
            }
        });
    }

    @Test
    void unsealedFileChangesItsSizeAndTakesNoSeals() throws VfioException {
        try (Fd fd = Memfd.create("test", 8192, false)) {
            assertThat(Memfd.seals(fd)).isEqualTo(Memfd.SEAL_SEAL);
            fd.truncate(4096);
            assertThat(fd.size()).isEqualTo(4096);
        }
    }

    @Test
    void sealsAreMinusOneForWhatKnowsNone() throws VfioException {
        try (EventFd eventFd = EventFd.create()) {
            assertThat(Memfd.seals(eventFd.fd())).isEqualTo(-1);
        }
    }

    @Test
    void sealsReportANumberThatIsNotOpen() {
        assertFails(Errno.EBADF, "fcntl", () -> Memfd.seals(Fd.own(0x7FFF_FFF0)));
    }

    @Test
    void nameIsShownByTheKernel() throws VfioException, IOException {
        try (Fd fd = Memfd.create("bar0-3b:02.0", 1, false)) {
            Path link = new File("/proc/self/fd/" + fd.number()).toPath();
            assertThat(Files.readSymbolicLink(link)).hasToString("/memfd:bar0-3b:02.0 (deleted)");
        }
    }
}
