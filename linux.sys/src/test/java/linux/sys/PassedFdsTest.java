// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Descriptors between two connected sockets, and who owns them.
@Timeout(60)
class PassedFdsTest {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(4096);
    private final ReceivedFds fds = new ReceivedFds();
    private UnixSocket near;
    private UnixSocket far;
    private Fd file;

    @BeforeEach
    void open() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        near = pair[0];
        far = pair[1];
        file = Memfd.create("passed", 12345, false);
    }

    @AfterEach
    void close() {
        fds.closeAll();
        near.close();
        far.close();
        file.close();
        arena.close();
    }

    private int send(int count) {
        int[] numbers = new int[count];
        Arrays.fill(numbers, file.number());
        return near.sendWithFds(buffer, 0, 4, numbers, count, false);
    }

    private int receive() {
        return far.receive(buffer, 100, 1000, fds, false);
    }

    @Test
    void takenOneIsTheSameFileAndItsTakersToClose() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            assertThat(send(1)).isEqualTo(4);
            assertThat(receive()).isEqualTo(4);
            assertThat(fds.count()).isEqualTo(1);
            int number = fds.number(0);
            assertThat(number).isNotEqualTo(file.number());
            try (Fd taken = fds.take(0)) {
                assertThat(taken.number()).isEqualTo(number);
                assertThat(taken.size()).isEqualTo(12345);
                int getFlags = 1;
                assertThat(Fd.fcntl(taken, getFlags, 0)).as("FD_CLOEXEC").isEqualTo(1);
                fds.clear();
                assertThat(taken.size()).as("a taken one is not closed").isEqualTo(12345);
            }
        });
    }

    @Test
    void holderGivesADescriptorOnce() throws VfioException {
        send(1);
        receive();
        try (Fd taken = fds.take(0)) {
            assertThat(taken.size()).isEqualTo(12345);
            assertThatIllegalStateException().isThrownBy(() -> fds.take(0));
            assertThatIllegalStateException().isThrownBy(() -> fds.number(0));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> fds.take(1));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> fds.number(-1));
        }
    }

    @Test
    void closeAllClosesWhatWasNotTaken() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            int before = Proc.openDescriptors();
            send(5);
            receive();
            assertThat(Proc.openDescriptors()).isEqualTo(before + 5);
            try (Fd third = fds.take(2)) {
                fds.closeAll();
                assertThat(Proc.openDescriptors()).isEqualTo(before + 1);
                assertThat(third.size()).isEqualTo(12345);
                assertThat(fds.count()).isZero();
            }
        });
    }

    @Test
    void receivesAreAppended() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            send(2);
            receive();
            send(3);
            receive();
            assertThat(fds.count()).isEqualTo(5);
            assertThat(fds.truncated()).isFalse();
            for (int i = 0; i < 5; i++) {
                try (Fd taken = fds.take(i)) {
                    assertThat(taken.size()).isEqualTo(12345);
                }
            }
            fds.clear();
        });
    }

    @Test
    void asManyAsFitArrive() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            int before = Proc.openDescriptors();
            assertThat(send(ReceivedFds.CAPACITY)).isEqualTo(4);
            assertThat(receive()).isEqualTo(4);
            assertThat(fds.truncated()).isFalse();
            assertThat(fds.count()).isEqualTo(ReceivedFds.CAPACITY);
            assertThat(Proc.openDescriptors()).isEqualTo(before + ReceivedFds.CAPACITY);
            fds.clear();
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {65, 66, 253})
    void tooManyInOneMessageAreAllClosed(int count) throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            int before = Proc.openDescriptors();
            assertThat(send(count)).isEqualTo(4);
            assertThat(receive()).as("the bytes arrive all the same").isEqualTo(4);
            assertThat(fds.truncated()).isTrue();
            assertThat(fds.count()).isZero();
            assertThat(Proc.openDescriptors()).isEqualTo(before);
            fds.closeAll();
            assertThat(fds.truncated()).as("until it is cleared").isTrue();
            fds.clear();
            assertThat(fds.truncated()).isFalse();
        });
    }

    @Test
    void tooManyInTwoMessagesCloseTheSecondLot() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            int before = Proc.openDescriptors();
            send(60);
            receive();
            send(5);
            receive();
            assertThat(fds.truncated()).isTrue();
            assertThat(fds.count()).isEqualTo(60);
            assertThat(Proc.openDescriptors()).isEqualTo(before + 60);
            fds.clear();
            assertThat(Proc.openDescriptors()).isEqualTo(before);
        });
    }

    @Test
    void someDroppedForWantOfNumbersAreAllClosed() throws VfioException, InterruptedException {
        int before = Proc.openDescriptors();
        for (int free = 0; free < 4; free++) {
            Descriptors.withFree(free, () -> {
                send(1);
                receive();
                fds.clear();
            }, () -> {
                assertThat(send(10)).isEqualTo(4);
                assertThat(receive()).isEqualTo(4);
            });
            assertThat(fds.truncated()).isTrue();
            assertThat(fds.count()).isZero();
            assertThat(Proc.openDescriptors()).isEqualTo(before);
            fds.clear();
        }
    }

    @Test
    void receiveEndsWithTheBytesThatBroughtDescriptors() {
        assertThat(near.send(buffer, 0, 3, false)).isEqualTo(3);
        assertThat(send(1)).isEqualTo(4);
        assertThat(near.send(buffer, 0, 5, false)).isEqualTo(5);
        assertThat(send(2)).isEqualTo(4);
        assertThat(receive()).isEqualTo(7);
        assertThat(fds.count()).isEqualTo(1);
        assertThat(receive()).isEqualTo(9);
        assertThat(fds.count()).isEqualTo(3);
    }

    @Test
    void refusedReceiveLeavesDescriptorsWithTheKernel() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            assertThat(receive()).isEqualTo(-Errno.EAGAIN.value());
            assertThat(fds.count()).isZero();
            send(3);
            UnixSocket[] pair = UnixSocket.pair();
            pair[0].sendWithFds(buffer, 0, 4, new int[] {file.number()}, 1, false);
            pair[0].close();
            pair[1].close();
            receive();
            fds.clear();
        });
    }

    @Test
    void sendRejectsWhatCannotTravel() {
        int einval = -Errno.EINVAL.value();
        assertThat(send(254)).isEqualTo(einval);
        assertThat(near.sendWithFds(buffer, 0, 0, new int[] {file.number()}, 1, false)).isEqualTo(einval);
        assertThat(near.sendWithFds(buffer, 0, 4, new int[] {file.number(), 0x7FFF_FFF0}, 2, false)).isEqualTo(-Errno.EBADF.value());
        assertThat(receive()).as("nothing was sent").isEqualTo(-Errno.EAGAIN.value());
    }

    @Test
    void sendOfNoDescriptorsIsASend() {
        assertThat(send(0)).isEqualTo(4);
        assertThat(receive()).isEqualTo(4);
        assertThat(fds.count()).isZero();
        assertThat(fds.truncated()).isFalse();
    }
}
