// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;

/// One bad device never hurts another: over real sockets, in one server.
class SlowDeviceTest {
    private static final long MOST_ADDED = TimeUnit.MILLISECONDS.toNanos(10);

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @Test
    void anAccessThatHangsIsWaitedForByNobodyElse() throws VfioException, InterruptedException {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.serve(TestPci.SECOND, second);
        try (RawClient slow = fixture.ready(); RawClient quick = RawClient.ready(second)) {
            TestDevice hanging = fixture.pci.next();
            hang(slow, hanging);
            for (int i = 0; i < 2000; i++) {
                roundTrip(quick);
            }
            assertThat(hanging.inside).hasValue(1);
            assertThat(slow.peek()).isEqualTo(RawClient.EAGAIN);
            hanging.blocked.release();
            assertThat(slow.receive().errno()).as("its answer is still sent").isZero();
            assertThat(slow.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).as("it is served on").isZero();
        }
        fixture.server.unserve(TestPci.SECOND);
        ServerFixture.await("one loop thread is left", () -> loops().size() == 1);
    }

    /// What else the machine does adds to each round trip, so the same are made, in turns, with a server that knows nothing of the hang;
    /// and still this is for a machine that does nothing else.
    @Test
    @EnabledIfSystemProperty(named = "vfio.nightly", matches = "true")
    void anAccessThatHangsTenSecondsAddsLessThanTenMillisecondsToAnotherDevice() throws VfioException, InterruptedException {
        Path second = fixture.folder.resolve("second.sock");
        Path control = fixture.folder.resolve("control.sock");
        TestPci controlPci = new TestPci();
        VfioUserServer controlServer = new VfioUserServer(controlPci, controlPci);
        controlServer.serve(TestPci.FIRST, control);
        fixture.server.serve(TestPci.SECOND, second);
        try (RawClient slow = fixture.ready(); RawClient quick = RawClient.ready(second); RawClient apart = RawClient.ready(control)) {
            TestDevice hanging = fixture.pci.next();
            warmUp(quick);
            warmUp(apart);
            hang(slow, hanging);
            List<Long> meanwhile = new ArrayList<>();
            List<Long> elsewhere = new ArrayList<>();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while (System.nanoTime() - end < 0) {
                meanwhile.add(roundTrip(quick));
                elsewhere.add(roundTrip(apart));
                LockSupport.parkNanos(200_000);
            }
            assertThat(hanging.inside).hasValue(1);
            assertThat(slow.peek()).isEqualTo(RawClient.EAGAIN);
            meanwhile.sort(null);
            elsewhere.sort(null);
            System.out.printf("round trips in us, middle, 99 %% and longest: during a hang %d %d %d, without one %d %d %d%n",
                part(meanwhile, 50) / 1000, part(meanwhile, 99) / 1000, meanwhile.getLast() / 1000, part(elsewhere, 50) / 1000,
                part(elsewhere, 99) / 1000, elsewhere.getLast() / 1000);
            assertThat(part(meanwhile, 50) - part(elsewhere, 50)).isLessThan(MOST_ADDED);
            assertThat(part(meanwhile, 99) - part(elsewhere, 99)).isLessThan(MOST_ADDED);
            hanging.blocked.release();
            assertThat(slow.receive().errno()).isZero();
        }
        controlServer.deactivate();
        fixture.server.unserve(TestPci.SECOND);
    }

    @Test
    void theFirstAccessAfterAHangBeganIsNotHeldUpEither() throws VfioException, InterruptedException {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.serve(TestPci.SECOND, second);
        try (RawClient slow = fixture.ready(); RawClient quick = RawClient.ready(second)) {
            TestDevice hanging = fixture.pci.next();
            for (int round = 0; round < 30; round++) {
                hang(slow, hanging);
                roundTrip(quick);
                hanging.blocked.release();
                assertThat(slow.receive().errno()).isZero();
            }
            // Not at once: a turn that the machine holds up is overtaken too.
            ServerFixture.await("at most one thread more is left", () -> loops().size() <= 2);
        }
        fixture.server.unserve(TestPci.SECOND);
    }

    @Test
    void aHangingOpenHoldsUpNobody() throws VfioException {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.serve(TestPci.SECOND, second);
        fixture.pci.gate = new Semaphore(0);
        try (RawClient waiting = RawClient.connect(fixture.socket)) {
            waiting.send(RawClient.message(1, RawClient.VERSION, 0, Bytes.of().u16(0, 0).array()).array());
            try (RawClient quick = RawClient.ready(second)) {
                assertThat(quick.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
            }
            assertThat(waiting.peek()).isEqualTo(RawClient.EAGAIN);
            fixture.pci.gate.release();
            assertThat(waiting.receive().errno()).isZero();
        }
        fixture.server.unserve(TestPci.SECOND);
    }

    @Test
    void aClientThatLeavesDuringAHangIsCleanedUpAfterwards() throws VfioException, InterruptedException {
        RawClient slow = fixture.ready();
        TestDevice hanging = fixture.pci.next();
        hang(slow, hanging);
        ServerFixture.await("the turn was overtaken", () -> loops().size() == 2);
        slow.close();
        try (RawClient next = RawClient.connect(fixture.socket)) {
            next.send(RawClient.message(1, RawClient.VERSION, 0, Bytes.of().u16(0, 0).array()).array());
            assertThat(next.peek()).as("one client at a time").isEqualTo(RawClient.EAGAIN);
            hanging.blocked.release();
            assertThat(next.receive().errno()).isZero();
            assertThat(hanging.closed).isTrue();
            assertThat(hanging.calls).doesNotContain("closed out of order");
        }
    }

    @Test
    void everyConnectionCanHangAtOnceInAThreadOfItsOwn() throws Exception {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.serve(TestPci.SECOND, second);
        try (RawClient first = fixture.ready(); RawClient other = RawClient.ready(second)) {
            TestDevice one = fixture.pci.next();
            TestDevice two = fixture.pci.next();
            hang(first, one);
            hang(other, two);
            ServerFixture.await("both were overtaken", () -> loops().size() == 3);
            assertThat(fixture.server.served()).hasSize(2);
            two.blocked.release();
            assertThat(other.receive().errno()).isZero();
            one.blocked.release();
            assertThat(first.receive().errno()).isZero();
        }
        fixture.server.unserve(TestPci.SECOND);
        assertThat(Files.exists(second)).isFalse();
    }

    private static void hang(RawClient client, TestDevice device) {
        client.send(RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
        ServerFixture.await("the access is inside", () -> device.inside.get() == 1);
    }

    private static void warmUp(RawClient client) {
        for (int i = 0; i < 3000; i++) {
            client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4));
        }
    }

    private static long roundTrip(RawClient client) {
        long start = System.nanoTime();
        assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4)).errno()).isZero();
        return System.nanoTime() - start;
    }

    /// So many of a hundred are not longer.
    private static long part(List<Long> sorted, int hundredths) {
        return sorted.get((sorted.size() - 1) * hundredths / 100);
    }

    private static List<String> loops() {
        return ServerFixture.threads().stream().filter(name -> name.matches("vfio-user-[0-9]+")).toList();
    }
}
