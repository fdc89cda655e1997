// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Bytes between two connected sockets.
@Timeout(60)
class MessageTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int EAGAIN = -Errno.EAGAIN.value();

    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(1 << 20);
    private final ReceivedFds fds = new ReceivedFds();
    private UnixSocket near;
    private UnixSocket far;

    @BeforeEach
    void open() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        near = pair[0];
        far = pair[1];
    }

    @AfterEach
    void close() {
        near.close();
        far.close();
        arena.close();
    }

    @Test
    void rejectsARangeOutsideTheBuffer() {
        MemorySegment small = buffer.asSlice(0, 16);
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> near.receive(small, 0, 17, fds, false));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> near.receive(small, -1, 1, fds, false));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> near.send(small, 16, 1, false));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> near.send(small, 0, -1, false));
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> near.send2(small, 0, 1, small, Long.MAX_VALUE, 1, false));
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> near.sendWithFds(small, 8, 9, new int[0], 0, false));
        assertThatExceptionOfType(IndexOutOfBoundsException.class)
                .isThrownBy(() -> near.sendWithFds(small, 0, 8, new int[1], 2, false));
        assertThat(far.receive(buffer, 0, 1, fds, false)).as("nothing was sent").isEqualTo(EAGAIN);
    }

    @Test
    void rejectsMemoryThatTheKernelCannotUse() {
        assertThatIllegalArgumentException().isThrownBy(() -> near.send(MemorySegment.ofArray(new byte[8]), 0, 8, false));
        assertThatIllegalArgumentException().isThrownBy(() -> near.receive(buffer.asReadOnly(), 0, 8, fds, false));
        assertThatIllegalArgumentException().as("an answer of 0 would be the end of the file")
                .isThrownBy(() -> near.receive(buffer, 0, 0, fds, false));
        Arena gone = Arena.ofConfined();
        MemorySegment released = gone.allocate(8);
        gone.close();
        assertThatIllegalStateException().isThrownBy(() -> near.send(released, 0, 8, false));
        assertThatIllegalStateException().isThrownBy(() -> near.receive(released, 0, 8, fds, false));
    }

    @Test
    void answersEfaultForMemoryThatIsNotMapped() {
        MemorySegment nowhere = MemorySegment.ofAddress(8).reinterpret(64);
        assertThat(near.send(nowhere, 0, 8, false)).isEqualTo(-Errno.EFAULT.value());
        assertThat(far.send(buffer, 0, 8, false)).isEqualTo(8);
        assertThat(near.receive(nowhere, 0, 8, fds, false)).isEqualTo(-Errno.EFAULT.value());
    }

    @Test
    void receiveAnswersEagainWhenThereIsNothing() {
        assertThat(near.receive(buffer, 0, 8, fds, false)).isEqualTo(EAGAIN);
    }

    @Test
    void carriesBytesAtTheirOffsets() {
        fill(100, 24, 1);
        assertThat(near.send(buffer, 100, 24, false)).isEqualTo(24);
        assertThat(far.receive(buffer, 1000, 16, fds, false)).isEqualTo(16);
        assertThat(far.receive(buffer, 1016, 16, fds, false)).isEqualTo(8);
        assertThat(MemorySegment.mismatch(buffer, 100, 124, buffer, 1000, 1024)).isEqualTo(-1);
        assertThat(buffer.get(ValueLayout.JAVA_BYTE, 1024)).isZero();
        assertThat(fds.count()).isZero();
        assertThat(fds.truncated()).isFalse();
    }

    @Test
    void gathersTwoRanges() {
        fill(0, 8, 1);
        fill(5000, 100, 77);
        assertThat(near.send2(buffer, 0, 8, buffer, 5000, 100, false)).isEqualTo(108);
        assertThat(far.receive(buffer, 10_000, 200, fds, false)).isEqualTo(108);
        assertThat(MemorySegment.mismatch(buffer, 0, 8, buffer, 10_000, 10_008)).isEqualTo(-1);
        assertThat(MemorySegment.mismatch(buffer, 5000, 5100, buffer, 10_008, 10_108)).isEqualTo(-1);
        assertThat(near.send2(buffer, 0, 8, buffer, 0, 0, false)).isEqualTo(8);
    }

    @Test
    void sendIsShortAndThenRefusedWhenThereIsNoRoom() {
        long sent = 0;
        int taken = near.send(buffer, 0, 1 << 20, false);
        while (taken > 0) {
            sent += taken;
            taken = near.send(buffer, 0, 1 << 20, false);
        }
        assertThat(taken).isEqualTo(EAGAIN);
        assertThat(near.send2(buffer, 0, 1 << 19, buffer, 0, 1 << 19, false)).isEqualTo(EAGAIN);
        long received = 0;
        for (int got = far.receive(buffer, 0, 1 << 20, fds, false); got > 0; got = far.receive(buffer, 0, 1 << 20, fds, false)) {
            received += got;
        }
        assertThat(received).isEqualTo(sent);
    }

    @Test
    void endOfFileIsZeroAndAWriteToItAnswersEpipe() {
        assertThat(near.send(buffer, 0, 3, false)).isEqualTo(3);
        near.close();
        assertThat(far.receive(buffer, 0, 8, fds, true)).isEqualTo(3);
        assertThat(far.receive(buffer, 0, 8, fds, true)).isZero();
        int epipe = -Errno.EPIPE.value();
        assertThat(far.send(buffer, 0, 8, true)).isEqualTo(epipe);
        assertThat(far.send2(buffer, 0, 4, buffer, 4, 4, true)).isEqualTo(epipe);
        assertThat(far.sendWithFds(buffer, 0, 4, new int[] {far.fd().number()}, 1, true)).isEqualTo(epipe);
    }

    @Test
    void unreadBytesOfAClosedPeerAnswerEconnreset() {
        assertThat(near.send(buffer, 0, 3, false)).isEqualTo(3);
        far.close();
        assertThat(near.receive(buffer, 0, 8, fds, true)).isEqualTo(-Errno.ECONNRESET.value());
    }

    @Test
    void receiveWaitsForBytes() throws InterruptedException {
        AtomicInteger result = new AtomicInteger();
        Thread reader = start(result, () -> near.receive(buffer, 0, 8, fds, true));
        SleepingThreads.awaitInCallOn(near.fd().number(), reader);
        assertThat(far.send(buffer, 100, 5, false)).isEqualTo(5);
        assertThat(reader.join(PATIENCE)).isTrue();
        assertThat(result).hasValue(5);
    }

    @Test
    void closeEndsAWaitingReceive() throws InterruptedException {
        AtomicInteger result = new AtomicInteger(1);
        int number = near.fd().number();
        Thread reader = start(result, () -> near.receive(buffer, 0, 8, fds, true));
        SleepingThreads.awaitInCallOn(number, reader);
        near.close();
        assertThat(reader.join(PATIENCE)).isTrue();
        assertThat(result).hasValue(0);
    }

    @Test
    void closeEndsAWaitingSend() throws InterruptedException {
        while (near.send(buffer, 0, 1 << 20, false) > 0) {
            Thread.onSpinWait();
        }
        AtomicInteger result = new AtomicInteger(1);
        int number = near.fd().number();
        Thread writer = start(result, () -> near.send(buffer, 0, 1 << 20, true));
        SleepingThreads.awaitInCallOn(number, writer);
        near.close();
        assertThat(writer.join(PATIENCE)).isTrue();
        assertThat(result).hasValue(-Errno.EPIPE.value());
    }

    private static Thread start(AtomicInteger result, IntSupplier call) {
        return Thread.ofPlatform().daemon().start(() -> result.set(call.getAsInt()));
    }

    private void fill(long offset, int length, int first) {
        for (int i = 0; i < length; i++) {
            buffer.set(ValueLayout.JAVA_BYTE, offset + i, (byte) (first + i));
        }
    }
}
