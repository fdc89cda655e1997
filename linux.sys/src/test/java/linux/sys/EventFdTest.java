// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static linux.sys.Errors.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

@Timeout(60)
class EventFdTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    /// The greatest count an eventfd holds.
    private static final long FULL = 0xFFFF_FFFF_FFFF_FFFEL;

    @Test
    void countsSignalsUntilRead() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            try (EventFd eventFd = EventFd.create()) {
                assertThat(eventFd.read()).isZero();
                eventFd.signal();
                eventFd.signal();
                assertThat(eventFd.read()).isEqualTo(2);
                assertThat(eventFd.read()).isZero();
            }
        });
    }

    @Test
    void reportsThatThereAreNoNumbersLeft() throws VfioException, InterruptedException {
        Descriptors.withFree(0, () -> EventFd.create().close(), () -> assertFails(Errno.EMFILE, "eventfd", EventFd::create));
    }

    @Test
    void closedOneIgnoresSignalsAndHasNoCount() throws VfioException {
        EventFd eventFd = EventFd.create();
        eventFd.close();
        eventFd.close();
        eventFd.signal();
        assertThat(eventFd.read()).isEqualTo(-Errno.EBADF.value());
        assertThatIllegalStateException().isThrownBy(() -> eventFd.await(Duration.ZERO));
        assertThatIllegalStateException().isThrownBy(() -> eventFd.fd().number());
    }

    @Test
    void overRefusesAndClosesWhatIsNoEventFd() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            Fd memory = Memfd.create("test", 4096, false);
            VfioException failure = assertFails(Errno.EINVAL, "eventfd", () -> EventFd.over(memory));
            assertThat(failure).hasMessageContaining("expected=eventfd");
            assertThatIllegalStateException().isThrownBy(memory::number);

            UnixSocket[] pair = UnixSocket.pair();
            try (UnixSocket near = pair[0]; UnixSocket far = pair[1]) {
                assertFails(Errno.EINVAL, "eventfd", () -> EventFd.over(Fd.duplicate(near.fd())));
                assertFails(Errno.EINVAL, "eventfd", () -> EventFd.over(Fd.duplicate(far.fd())));
            }
            assertFails(Errno.ENOENT, "readlink", () -> EventFd.over(Fd.own(0x7FFF_FFF0)));
        });
    }

    @Test
    void overSignalsTheSameCounter() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            try (EventFd near = EventFd.create(); EventFd far = EventFd.over(Fd.duplicate(near.fd()))) {
                far.signal();
                assertThat(near.read()).isEqualTo(1);
                near.signal();
                assertThat(far.read()).isEqualTo(1);
            }
        });
    }

    @Test
    void awaitSeesASignalOfAnotherThreadAndLeavesIt() throws VfioException, InterruptedException {
        try (EventFd eventFd = EventFd.create()) {
            assertThat(eventFd.await(Duration.ZERO)).isFalse();
            assertThat(eventFd.await(Duration.ofMillis(-5))).isFalse();
            Thread signaller = Thread.ofPlatform().start(eventFd::signal);
            assertThat(eventFd.await(LONG)).isTrue();
            assertThat(eventFd.await(Duration.ofSeconds(Long.MAX_VALUE))).isTrue();
            assertThat(eventFd.read()).isEqualTo(1);
            signaller.join();
        }
    }

    @Test
    void awaitEndsWhenTheTimeRanOutAndNotBefore() throws VfioException {
        try (EventFd eventFd = EventFd.create()) {
            long start = System.nanoTime();
            assertThat(eventFd.await(Duration.ofNanos(10_300_000))).isFalse();
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(10_300_000);
        }
    }

    @Test
    void signalDoesNotWaitForAFullCounter() throws VfioException {
        try (EventFd eventFd = EventFd.create()) {
            fill(eventFd);
            eventFd.signal();
            assertThat(eventFd.read()).isEqualTo(Long.MAX_VALUE);
        }
    }

    @Test
    void hostileOwnerCannotHangSignalOrRead() throws VfioException, InterruptedException {
        try (EventFd theirs = EventFd.create(); Fd flags = Fd.duplicate(theirs.fd());
                EventFd ours = EventFd.over(Fd.duplicate(theirs.fd()))) {
            flags.setNonBlocking(false);
            assertThat(ours.read()).as("nothing to read, and O_NONBLOCK cleared").isZero();
            fill(theirs);
            // On a thread that does not keep the JVM should it hang.
            Thread signaller = Thread.ofPlatform().daemon().start(ours::signal);
            assertThat(signaller.join(LONG)).isTrue();
            assertThat(ours.read()).isEqualTo(Long.MAX_VALUE);
        }
    }

    @Test
    void closeFreesASignallerThatAFullCounterHolds() throws VfioException, InterruptedException {
        try (EventFd theirs = EventFd.create(); Fd flags = Fd.duplicate(theirs.fd())) {
            flags.setNonBlocking(false);
            Fd held = Fd.duplicate(theirs.fd());
            EventFd ours = EventFd.over(held);
            fill(theirs);
            // The signaller which looked for room before the counter was filled, and writes after.
            Thread signaller = Thread.ofPlatform().daemon().start(() -> {
                int number = held.enter();
                EventFd.writeOne(number);
                held.leave();
            });
            SleepingThreads.awaitInCallOn(held.number(), signaller);
            ours.close();
            assertThat(signaller.join(LONG)).isTrue();
            assertThat(theirs.read()).as("the held signal").isEqualTo(1);
        }
    }

    @Test
    void closeLeavesAPendingCountToTheOtherOwner() throws VfioException {
        try (EventFd theirs = EventFd.create()) {
            Fd held = Fd.duplicate(theirs.fd());
            EventFd ours = EventFd.over(held);
            ours.signal();
            held.enter();
            ours.close();
            held.leave();
            assertThat(theirs.read()).isEqualTo(1);
        }
    }

    @Test
    void signalUnderACloseKeepsTheNumberFromTheNextFile() throws VfioException, InterruptedException {
        EventFd eventFd = EventFd.create();
        int number = eventFd.fd().number();
        try (Fd second = Fd.duplicate(eventFd.fd()); EventFd reader = EventFd.over(second)) {
            // A full counter and no O_NONBLOCK: the signal stays inside its write until somebody reads.
            second.setNonBlocking(false);
            fill(eventFd);
            Thread signaller = Thread.ofPlatform().daemon().start(eventFd::signal);
            SleepingThreads.awaitInCallOn(number, signaller);
            eventFd.close();
            try (EventFd next = EventFd.create()) {
                assertThat(next.fd().number()).isNotEqualTo(number);
            }
            assertThat(reader.read()).isEqualTo(Long.MAX_VALUE);
            assertThat(signaller.join(LONG)).isTrue();
            try (EventFd next = EventFd.create()) {
                assertThat(next.fd().number()).as("given back by the signal when it left").isEqualTo(number);
            }
        }
    }

    private static void fill(EventFd eventFd) {
        eventFd.read();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment full = arena.allocateFrom(ValueLayout.JAVA_LONG, FULL);
            assertThat(Libc.callLong(Libc.WRITE, eventFd.fd().number(), full.address(), Long.BYTES, 0, 0, 0)).isEqualTo(Long.BYTES);
        }
    }
}
