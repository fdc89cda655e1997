// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;

/// A client that alone is busy is waited for in its socket, by a thread of its own, which tries for a while before it sleeps.
class BusyClientTest {
    private static final int MANY = 2_000;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

    @BeforeEach
    void spin() {
        fixture.server.setSpin(Duration.ofMillis(1));
    }

    private static void keepBusy(RawClient client, int times) {
        for (int i = 0; i < times; i++) {
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4)).errno()).isZero();
        }
    }

    /// As long as somebody else is not busy, too.
    private static void untilAThreadIsItsOwn(RawClient client) {
        ServerFixture.await("two threads, one of the loop and one of the client", () -> {
            keepBusy(client, 200);
            return loops() == 2;
        });
    }

    private static long loops() {
        return ServerFixture.threads().stream().filter(name -> name.matches("vfio-user-[0-9]+")).count();
    }

    @Test
    void keepsNobodyElseFromBeingServed() throws Exception {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.serve(TestPci.SECOND, second);
        AtomicBoolean enough = new AtomicBoolean();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try (RawClient busy = fixture.ready(); RawClient other = RawClient.ready(second)) {
            untilAThreadIsItsOwn(busy);
            Thread pressing = Thread.ofPlatform().daemon().uncaughtExceptionHandler((_, cause) -> failure.set(cause)).start(() -> {
                while (!enough.get()) {
                    keepBusy(busy, 100);
                }
            });
            keepBusy(other, MANY);
            enough.set(true);
            assertThat(pressing.join(Duration.ofSeconds(20))).isTrue();
            assertThat(failure.get()).isNull();
            // A turn that the machine holds up has a thread more for a moment.
            ServerFixture.await("not a thread for each", () -> loops() <= 2);
        }
        fixture.server.unserve(TestPci.SECOND);
    }

    @Test
    void isLeftAloneWhenItFallsSilent() throws VfioException {
        try (RawClient busy = fixture.ready()) {
            untilAThreadIsItsOwn(busy);
            ServerFixture.await("the loop waits for all again", () -> loops() == 1);
            long before = processorNanos();
            long from = System.nanoTime();
            ServerFixture.await("half a second", () -> System.nanoTime() - from > 500_000_000);
            assertThat(Duration.ofNanos(processorNanos() - before)).as("processor time of the server").isLessThan(Duration.ofMillis(50));
            keepBusy(busy, 10);
        }
    }

    private long processorNanos() {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().startsWith("vfio-user"))
            .mapToLong(thread -> Math.max(0, threads.getThreadCpuTime(thread.threadId()))).sum();
    }

    @Test
    void isToldWhenServingEnds() throws VfioException {
        try (RawClient busy = fixture.ready()) {
            untilAThreadIsItsOwn(busy);
            fixture.server.unserve(TestPci.FIRST);
            assertThat(busy.endsOrderly()).isTrue();
        }
    }

    @Test
    void makesRoomForTheNextWhenItLeaves() throws Exception {
        try (RawClient busy = fixture.ready()) {
            untilAThreadIsItsOwn(busy);
        }
        TestDevice device = fixture.pci.next();
        ServerFixture.await("its device is closed", () -> device.closed);
        try (RawClient next = fixture.ready()) {
            keepBusy(next, 10);
        }
    }

    @Test
    void isAnsweredTooWhenItsDeviceIsSlow() throws Exception {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.serve(TestPci.SECOND, second);
        try (RawClient busy = fixture.ready(); RawClient other = RawClient.ready(second)) {
            TestDevice device = fixture.pci.next();
            untilAThreadIsItsOwn(busy);
            busy.send(RawClient.message(7, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            ServerFixture.await("it is inside", () -> device.inside.get() == 1);
            keepBusy(other, 500);
            device.blocked.release();
            assertThat(busy.receive().id()).isEqualTo(7);
            keepBusy(busy, 500);
        }
        fixture.server.unserve(TestPci.SECOND);
    }

    @Test
    void hasItsRequestGivenUpInTime() throws Exception {
        fixture.server.unserve(TestPci.FIRST);
        fixture.server.setRules(Limits.with(limits -> limits.request = Limits.BOUND), SocketRules.standard());
        fixture.server.serve(TestPci.FIRST, fixture.socket);
        try (RawClient busy = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            untilAThreadIsItsOwn(busy);
            busy.send(RawClient.message(7, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            RawClient.Answer answer = busy.receive();
            assertThat(answer.id()).isEqualTo(7);
            assertThat(answer.errno()).isEqualTo(110);
            device.blocked.release();
            ServerFixture.await("the late result is discarded", () -> device.inside.get() == 0);
            ServerFixture.await("it is served again",
                () -> busy.call(RawClient.REGION_READ, RawClient.access(0, 2, 4)).errno() == 0);
            keepBusy(busy, 500);
        }
    }
}
