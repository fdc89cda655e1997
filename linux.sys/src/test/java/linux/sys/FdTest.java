// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static linux.sys.Errors.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

class FdTest {
    @Test
    void rejectsNegativeNumber() {
        assertThatIllegalArgumentException().isThrownBy(() -> Fd.own(-1));
    }

    @Test
    void closedDescriptorHasNoNumberAndTakesNoCalls() throws VfioException {
        Fd fd = Memfd.create("test", 4096, false);
        fd.close();
        assertThatIllegalStateException().isThrownBy(fd::number);
        assertThatIllegalStateException().isThrownBy(fd::size);
        assertThatIllegalStateException().isThrownBy(fd::duplicate);
        assertThatIllegalStateException().isThrownBy(() -> fd.truncate(1));
        assertThatIllegalStateException().isThrownBy(() -> fd.setNonBlocking(true));
        assertThat(fd).hasToString("fd closed");
    }

    @Test
    void secondCloseLeavesTheNextOwnerOfTheNumberAlone() throws VfioException {
        Fd first = Memfd.create("first", 1, false);
        int number = first.number();
        first.close();
        try (Fd next = Memfd.create("next", 2, false)) {
            assertThat(next.number()).as("the kernel gives the lowest free number").isEqualTo(number);
            first.close();
            assertThat(next.size()).isEqualTo(2);
        }
    }

    @Test
    void closeWaitsForTheCallInside() throws VfioException {
        Fd fd = Memfd.create("test", 3, false);
        int number = fd.enter();
        fd.close();
        assertThat(fd.enter()).as("no call enters a closed descriptor").isEqualTo(-1);
        try (Fd other = Memfd.create("other", 4, false)) {
            assertThat(other.number()).as("the number is still in use").isNotEqualTo(number);
        }
        fd.leave();
        try (Fd next = Memfd.create("next", 5, false)) {
            assertThat(next.number()).as("the last call out gave it back").isEqualTo(number);
        }
    }

    @Test
    void duplicateIsTheSameFileWithAnOwnerOfItsOwn() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            Fd fd = Memfd.create("test", 4096, false);
            try (Fd duplicate = fd.duplicate()) {
                assertThat(duplicate.number()).isNotEqualTo(fd.number());
                fd.truncate(8192);
                fd.close();
                assertThat(duplicate.size()).isEqualTo(8192);
            }
        });
    }

    @Test
    void duplicateReportsThatThereAreNoNumbersLeft() throws VfioException, InterruptedException {
        try (Fd fd = Memfd.create("test", 1, false)) {
            Descriptors.withFree(0, () -> fd.duplicate().close(), () -> assertFails(Errno.EMFILE, "fcntl", fd::duplicate));
        }
    }

    @Test
    void reportsANumberThatIsNotOpen() {
        Fd fd = notOpen();
        assertFails(Errno.EBADF, "statx", fd::size);
        assertFails(Errno.EBADF, "ftruncate", () -> fd.truncate(0));
        assertFails(Errno.EBADF, "fcntl", fd::duplicate);
        assertFails(Errno.EBADF, "fcntl", () -> fd.setNonBlocking(true));
    }

    @Test
    void sizeIsThatOfTheFile() throws VfioException {
        try (Fd fd = Memfd.create("test", 0x1_2345_6789L, false)) {
            assertThat(fd.size()).isEqualTo(0x1_2345_6789L);
            fd.truncate(12);
            assertThat(fd.size()).isEqualTo(12);
        }
    }

    @Test
    void rejectsNegativeSize() throws VfioException {
        try (Fd fd = Memfd.create("test", 1, false)) {
            VfioException failure = assertFails(Errno.EINVAL, "ftruncate", () -> fd.truncate(-1));
            assertThat(failure).hasMessageContaining("size=0xffffffffffffffff").hasMessageContaining("errno=0x16");
            assertThat(fd.size()).isEqualTo(1);
        }
    }

    @Test
    void rejectsSizeOfWhatHasNone() throws VfioException {
        try (EventFd eventFd = EventFd.create(); Fd fd = Fd.duplicate(eventFd.fd())) {
            assertFails(Errno.EINVAL, "ftruncate", () -> fd.truncate(1));
            assertThat(fd.size()).isZero();
        }
    }

    @Test
    void foreignOwnersAreServed() throws VfioException {
        try (Fd fd = Memfd.create("test", 4096, true)) {
            OwnedFd foreign = new OwnedFd() {
                @Override
                public int number() {
                    return fd.number();
                }

                @Override
                public void close() {
                    fd.close();
                }
            };
            assertThat(Memfd.seals(foreign)).isEqualTo(Memfd.seals(fd));
            try (Mapping mapping = Mapping.of(foreign, 0, 4096, true, false)) {
                assertThat(mapping.memory().byteSize()).isEqualTo(4096);
            }
            assertThatExceptionOfType(VfioException.class).isThrownBy(() -> EventFd.over(foreign));
            assertThatIllegalStateException().as("taken, hence closed").isThrownBy(fd::number);
        }
    }

    /// A number far above all that are open.
    private static Fd notOpen() {
        return Fd.own(0x7FFF_FFF0);
    }
}
