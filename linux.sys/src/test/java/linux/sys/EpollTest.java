// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static linux.sys.Errors.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

@Timeout(60)
class EpollTest {
    private static final long DATA = 0xFEDC_BA98_7654_3210L;
    private static final int PATIENCE_MILLIS = 20_000;

    private final Ready ready = new Ready(4);

    @Test
    void reportsThatThereAreNoNumbersLeft() throws VfioException, InterruptedException {
        Descriptors.withFree(0, () -> Epoll.create().close(), () -> assertFails(Errno.EMFILE, "epoll_create1", Epoll::create));
    }

    @Test
    void rejectsWhatCannotBeDone() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            try (Epoll epoll = Epoll.create(); EventFd eventFd = EventFd.create(); Fd second = Fd.duplicate(eventFd.fd())) {
                VfioException failure = assertFails(Errno.ENOENT, "epoll_ctl", () -> epoll.modify(eventFd.fd(), Epoll.IN, 1));
                assertThat(failure).hasMessageContaining("operation=modify");
                assertFails(Errno.ENOENT, "epoll_ctl", () -> epoll.remove(eventFd.fd()));
                assertFails(Errno.EBADF, "epoll_ctl", () -> epoll.add(Fd.own(0x7FFF_FFF0), Epoll.IN, 1));
                epoll.add(eventFd.fd(), Epoll.IN, 1);
                assertFails(Errno.EEXIST, "epoll_ctl", () -> epoll.add(eventFd.fd(), Epoll.IN, 1));
                second.close();
                assertThatIllegalStateException().isThrownBy(() -> epoll.add(second, Epoll.IN, 1));
            }
        });
    }

    @Test
    void rejectsAFileThatCannotBeWaitedFor() throws VfioException {
        try (Epoll epoll = Epoll.create(); Fd file = Memfd.create("test", 1, false)) {
            assertFails(Errno.EPERM, "epoll_ctl", () -> epoll.add(file, Epoll.IN, 1));
        }
    }

    @Test
    void rejectsRoomForNothing() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Ready(0));
    }

    @Test
    void closedOneReportsNothing() throws VfioException {
        Epoll epoll = Epoll.create();
        epoll.close();
        epoll.close();
        assertThat(epoll.await(ready, 0)).isEqualTo(-Errno.EBADF.value());
        try (EventFd eventFd = EventFd.create()) {
            assertThatIllegalStateException().isThrownBy(() -> epoll.add(eventFd.fd(), Epoll.IN, 1));
        }
    }

    @Test
    void reportsDataAndEventsOfWhatIsReady() throws VfioException {
        try (Epoll epoll = Epoll.create(); EventFd first = EventFd.create(); EventFd second = EventFd.create()) {
            epoll.add(first.fd(), Epoll.IN, DATA);
            epoll.add(second.fd(), Epoll.IN | Epoll.OUT, 7);
            assertThat(epoll.await(ready, 0)).isEqualTo(1);
            assertThat(ready.data(0)).isEqualTo(7);
            assertThat(ready.events(0)).isEqualTo(Epoll.OUT);
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> ready.data(1));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> ready.events(1));

            epoll.remove(second.fd());
            first.signal();
            assertThat(epoll.await(ready, 0)).isEqualTo(1);
            assertThat(ready.data(0)).isEqualTo(DATA);
            assertThat(ready.events(0)).isEqualTo(Epoll.IN);

            first.read();
            assertThat(epoll.await(ready, 0)).isZero();
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> ready.data(0));
        }
    }

    @Test
    void reportsNoMoreThanThereIsRoomFor() throws VfioException {
        Ready two = new Ready(2);
        try (Epoll epoll = Epoll.create(); EventFd a = EventFd.create(); EventFd b = EventFd.create(); EventFd c = EventFd.create()) {
            epoll.add(a.fd(), Epoll.OUT, 1);
            epoll.add(b.fd(), Epoll.OUT, 2);
            epoll.add(c.fd(), Epoll.OUT, 3);
            assertThat(epoll.await(two, 0)).isEqualTo(2);
            assertThat(two.data(0)).isNotEqualTo(two.data(1));
            assertThat(epoll.await(ready, 0)).isEqualTo(3);
        }
    }

    @Test
    void oneShotIsSilentUntilModified() throws VfioException {
        try (Epoll epoll = Epoll.create(); EventFd eventFd = EventFd.create()) {
            epoll.add(eventFd.fd(), Epoll.IN | Epoll.ONESHOT, 1);
            eventFd.signal();
            assertThat(epoll.await(ready, 0)).isEqualTo(1);
            assertThat(epoll.await(ready, 0)).isZero();
            epoll.modify(eventFd.fd(), Epoll.IN | Epoll.ONESHOT, 2);
            assertThat(epoll.await(ready, 0)).isEqualTo(1);
            assertThat(ready.data(0)).isEqualTo(2);
        }
    }

    @Test
    void edgeTriggeredReportsOnce() throws VfioException {
        try (Epoll epoll = Epoll.create(); EventFd eventFd = EventFd.create()) {
            epoll.add(eventFd.fd(), Epoll.IN | Epoll.ET, 1);
            eventFd.signal();
            assertThat(epoll.await(ready, 0)).isEqualTo(1);
            assertThat(epoll.await(ready, 0)).isZero();
            eventFd.signal();
            assertThat(epoll.await(ready, 0)).isEqualTo(1);
        }
    }

    @Test
    void reportsTheHangUpOfAPeer() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        try (Epoll epoll = Epoll.create(); UnixSocket near = pair[0]) {
            epoll.add(near.fd(), Epoll.IN | Epoll.RDHUP, 1);
            pair[1].close();
            assertThat(epoll.await(ready, 0)).isEqualTo(1);
            assertThat(ready.events(0)).isEqualTo(Epoll.IN | Epoll.HUP | Epoll.RDHUP);
        }
    }

    @Test
    void signalEndsAWaitWithoutEnd() throws VfioException, InterruptedException {
        try (Epoll epoll = Epoll.create(); EventFd eventFd = EventFd.create()) {
            epoll.add(eventFd.fd(), Epoll.IN, DATA);
            AtomicInteger reports = new AtomicInteger();
            Thread waiter = Thread.ofPlatform().daemon().start(() -> reports.set(epoll.await(ready, -1)));
            SleepingThreads.awaitInCallOn(epoll.fd().number(), waiter);
            eventFd.signal();
            assertThat(waiter.join(Duration.ofMillis(PATIENCE_MILLIS))).isTrue();
            assertThat(reports).hasValue(1);
        }
    }

    @Test
    void closeUnderAWaitKeepsTheDescriptorUntilItEnds() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            Epoll epoll = Epoll.create();
            int number = epoll.fd().number();
            try (EventFd eventFd = EventFd.create()) {
                epoll.add(eventFd.fd(), Epoll.IN, DATA);
                Thread waiter = Thread.ofPlatform().daemon().start(() -> epoll.await(ready, -1));
                SleepingThreads.awaitInCallOn(number, waiter);
                epoll.close();
                try (EventFd next = EventFd.create()) {
                    assertThat(next.fd().number()).isNotEqualTo(number);
                }
                eventFd.signal();
                assertThat(waiter.join(Duration.ofMillis(PATIENCE_MILLIS))).isTrue();
            }
        });
    }

    @Test
    void waitEndsWhenTheTimeRanOut() throws VfioException {
        try (Epoll epoll = Epoll.create()) {
            assertThat(epoll.await(ready, 10)).isZero();
        }
    }
}
