// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalInt;
import java.util.concurrent.Semaphore;
import linux.sys.Fd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;

/// Every request is answered within a bound, once, whatever the device does.
class StuckRequestTest {
    private static final int ETIMEDOUT = 110;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture(Limits.with(limits -> limits.request = Limits.BOUND));

    @Test
    void isAnsweredOnceAndItsTrueResultIsDiscarded() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            long start = System.nanoTime();
            client.send(RawClient.message(7, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            RawClient.Answer late = client.receive();
            assertThat(System.nanoTime() - start).isGreaterThan(Limits.BOUND.toNanos() / 2);
            assertThat(late.id()).isEqualTo(7);
            assertThat(late.errno()).isEqualTo(ETIMEDOUT);
            assertThat(late.size()).isEqualTo(16);
            device.blocked.release();
            RawClient.Answer next = client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4));
            while (next.errno() == ETIMEDOUT) {
                next = client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4));
            }
            assertThat(next.errno()).isZero();
            assertThat(client.peek()).isEqualTo(RawClient.EAGAIN);
        }
    }

    @Test
    void keepsTheOrderOfWhatWaitsWhenItComesBackInTime() throws VfioException, InterruptedException {
        // The bound of this server is long enough for anything.
        try (PatientServer patient = new PatientServer(fixture); RawClient client = RawClient.ready(patient.socket)) {
            TestDevice device = patient.device();
            byte[] write = RawClient.access(TestDevice.BLOCKING, 2, 4).u32(5).array();
            client.send(RawClient.message(1, RawClient.REGION_WRITE, 0, write).array());
            ServerFixture.await("the access is inside", () -> device.inside.get() == 1);
            ServerFixture.await("the turn was overtaken", () -> ServerFixture.threads().stream()
                .filter(name -> name.matches("vfio-user-[0-9]+")).count() >= 3);
            for (int i = 2; i < 2000; i++) {
                client.send(RawClient.message(i, RawClient.REGION_WRITE, i % 2 == 0 ? RawClient.NO_REPLY : 0,
                    RawClient.access(0, 2, 4).u32(i).array()).array());
            }
            device.blocked.release();
            assertThat(client.receive().id()).isEqualTo(1);
            for (int i = 3; i < 2000; i += 2) {
                RawClient.Answer answer = client.receive();
                assertThat(answer.id()).isEqualTo(i);
                assertThat(answer.errno()).isZero();
            }
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4)).fields().getInt(16)).isEqualTo(1999);
        }
    }

    /// What the stuck request waits for overtakes what does not belong to it.
    @Test
    void carriesOutWhatItWaitsFor() throws VfioException, InterruptedException {
        try (PatientServer patient = new PatientServer(fixture); RawClient client = RawClient.ready(patient.socket)) {
            TestDevice device = patient.device();
            int specific = TestDevice.SPECIFIC;
            client.send(RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            ServerFixture.await("the access is inside", () -> device.inside.get() == 1);
            device.awaited = OptionalInt.of(specific);
            client.send(RawClient.message(2, RawClient.REGION_WRITE, 0, RawClient.access(0, 2, 4).u32(5).array()).array());
            client.send(RawClient.message(3, RawClient.REGION_WRITE, 0, RawClient.access(12, specific, 4).u32(6).array()).array());
            client.post(RawClient.REGION_WRITE, RawClient.access(16, specific, 4).u32(7));
            client.send(RawClient.message(4, RawClient.REGION_READ, 0, RawClient.access(12, specific, 8).array()).array());
            client.send(RawClient.message(5, RawClient.REGION_READ, 0, RawClient.access(0x1000, specific, 4).array()).array());
            client.send(RawClient.message(6, RawClient.GET_REGION_INFO, 0, Bytes.of().u32(0x1000, 0, 0, 0).u64(0, 0).array()).array());
            assertThat(client.receive().id()).isEqualTo(3);
            RawClient.Answer read = client.receive();
            assertThat(read.id()).isEqualTo(4);
            assertThat(new int[] {read.fields().getInt(16), read.fields().getInt(20)}).containsExactly(6, 7);
            assertThat(client.receive().errno()).as("outside the region").isEqualTo(22);
            RawClient.Answer info = client.receive();
            assertThat(info.id()).isEqualTo(6);
            assertThat(info.fds()).hasSize(1);
            info.fds().forEach(Fd::close);
            assertThat(client.peek()).as("nothing else").isEqualTo(RawClient.EAGAIN);
            device.awaited = OptionalInt.empty();
            client.send(RawClient.message(7, RawClient.REGION_WRITE, 0, RawClient.access(12, specific, 4).u32(8).array()).array());
            assertThat(client.peek()).as("nothing waits for it").isEqualTo(RawClient.EAGAIN);
            device.blocked.release();
            assertThat(new int[] {client.receive().id(), client.receive().id(), client.receive().id()}).containsExactly(1, 2, 7);
        }
    }

    @Test
    void makesLaterRequestsFailButKeepsPostedWrites() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            client.send(RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            client.post(RawClient.REGION_WRITE, RawClient.access(0, 2, 4).u32(0x11));
            client.send(RawClient.message(2, RawClient.REGION_WRITE, 0, RawClient.access(4, 2, 4).u32(0x22).array()).array());
            client.post(RawClient.REGION_WRITE, RawClient.access(8, 2, 4).u32(0x33));
            for (int id = 1; id <= 2; id++) {
                RawClient.Answer answer = client.receive();
                assertThat(answer.id()).isEqualTo(id);
                assertThat(answer.errno()).isEqualTo(ETIMEDOUT);
            }
            RawClient.Answer atOnce = client.call(RawClient.DEVICE_RESET, Bytes.of());
            assertThat(atOnce.errno()).isEqualTo(ETIMEDOUT);
            assertThat(device.inside).hasValue(1);
            device.blocked.release();
            RawClient.Answer read = client.call(RawClient.REGION_READ, RawClient.access(0, 2, 12));
            while (read.errno() == ETIMEDOUT) {
                read = client.call(RawClient.REGION_READ, RawClient.access(0, 2, 12));
            }
            assertThat(new int[] {read.fields().getInt(16), read.fields().getInt(20), read.fields().getInt(24)})
                .containsExactly(0x11, 0, 0x33);
            assertThat(device.calls).doesNotContain("reset");
        }
    }

    @Test
    void isFreedWhenItsClientLeaves() throws VfioException, InterruptedException {
        RawClient client = fixture.ready();
        TestDevice device = fixture.pci.next();
        client.send(RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
        assertThat(client.receive().errno()).isEqualTo(ETIMEDOUT);
        client.close();
        device.blocked.release();
        try (RawClient next = fixture.ready()) {
            assertThat(next.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
            assertThat(device.closed).isTrue();
            assertThat(device.calls).doesNotContain("closed out of order");
        }
    }

    @Test
    void isAVersionTooWhenTheDeviceIsLongInOpening() throws VfioException, InterruptedException {
        fixture.pci.gate = new Semaphore(0);
        try (RawClient client = RawClient.connect(fixture.socket)) {
            assertThat(client.call(RawClient.VERSION, Bytes.of().u16(0, 0)).errno()).isEqualTo(ETIMEDOUT);
            assertThat(client.call(RawClient.VERSION, Bytes.of().u16(0, 0)).errno()).as("still").isEqualTo(16);
            fixture.pci.gate.release(2);
            TestDevice late = fixture.pci.next();
            ServerFixture.await("the late one is closed", () -> late.closed);
            RawClient.Answer again = client.call(RawClient.VERSION, Bytes.of().u16(0, 0));
            while (again.errno() != 0) {
                fixture.pci.gate.release();
                again = client.call(RawClient.VERSION, Bytes.of().u16(0, 0));
            }
            assertThat(client.peek()).isEqualTo(RawClient.EAGAIN);
        }
    }
}
