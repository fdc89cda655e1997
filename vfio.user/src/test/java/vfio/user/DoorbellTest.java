// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import linux.sys.EventFd;
import linux.sys.Fd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.ServedTraffic;
import vfio.pci.api.function.Doorbell;

/// DEVICE_GET_REGION_IO_FDS of a device with doorbells, and what their events do.
class DoorbellTest {
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final Doorbell VALUE = new Doorbell(2, 0x100, 4, OptionalLong.of(0x19));
    private static final Doorbell ANY = new Doorbell(2, 0x108, 8, OptionalLong.empty());

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    private TestDevice device(Doorbell... doorbells) throws InterruptedException {
        TestDevice device = fixture.pci.next();
        device.doorbells.addAll(List.of(doorbells));
        return device;
    }

    private static RawClient.Answer ask(RawClient client, long argsz, int region) {
        return client.call(RawClient.GET_REGION_IO_FDS, Bytes.of().u32(argsz, 0, region, 0));
    }

    private ServedTraffic traffic() {
        return fixture.server.served().getFirst().traffic();
    }

    @Test
    void tellsWhatItTakesFirstAndTheDoorbellsThen() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            device(VALUE, ANY);
            RawClient.Answer little = ask(client, 16 + 2 * 40 - 1, 2);
            assertThat(little.payload()).isEqualTo(Bytes.of().u32(16 + 2 * 40, 0, 2, 2).array());
            assertThat(little.fds()).isEmpty();
            RawClient.Answer whole = ask(client, 4096, 2);
            assertThat(whole.payload()).isEqualTo(Bytes.of().u32(16 + 2 * 40, 0, 2, 2)
                .u64(0x100, 4).u32(0, 0, 1, 0).u64(0x19).u64(0x108, 8).u32(1, 0, 0, 0).u64(0).array());
            assertThat(whole.fds()).hasSize(2);
            whole.fds().forEach(Fd::close);
            assertThat(ask(client, 4096, 0).payload()).as("another region").isEqualTo(Bytes.of().u32(16, 0, 0, 0).array());
        }
    }

    @Test
    void writesWhatTheEventStandsFor() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = device(VALUE, ANY);
            device.memory(2).set(U32, 0x108, 0x77);
            List<Fd> fds = ask(client, 4096, 2).fds();
            try (EventFd value = EventFd.over(fds.get(0)); EventFd any = EventFd.over(fds.get(1))) {
                value.signal();
                ServerFixture.await("it was written", () -> device.memory(2).get(U32, 0x100) == 0x19);
                any.signal();
                ServerFixture.await("it was written", () -> traffic().doorbells() == 2);
                assertThat(device.memory(2).get(U32, 0x108)).isZero();
                assertThat(traffic().errors()).isZero();
            }
        }
    }

    @Test
    void makesThemOnceForAClientAndFreesThemWithIt() throws VfioException, InterruptedException {
        int before = ServerFixture.descriptors().size();
        try (RawClient client = fixture.ready()) {
            device(VALUE, ANY);
            ask(client, 4096, 2).fds().forEach(Fd::close);
            int once = ServerFixture.descriptors().size();
            for (int i = 0; i < 100; i++) {
                ask(client, 4096, 2).fds().forEach(Fd::close);
                ask(client, 16, 2);
            }
            assertThat(ServerFixture.descriptors()).hasSize(once);
        }
        ServerFixture.await("all descriptors are closed", () -> ServerFixture.descriptors().size() <= before);
    }

    @Test
    void givesNoMoreThanTheClientTakes() throws VfioException, InterruptedException {
        Doorbell[] twenty = IntStream.range(0, 20).mapToObj(i -> new Doorbell(2, 4L * i, 4, OptionalLong.of(i))).toArray(Doorbell[]::new);
        try (RawClient client = fixture.ready()) {
            device(twenty);
            List<Fd> fds = ask(client, 4096, 2).fds();
            assertThat(fds).hasSize(16);
            fds.forEach(Fd::close);
        }
        try (RawClient client = RawClient.ready(fixture.socket, "{}")) {
            device(twenty);
            RawClient.Answer one = ask(client, 4096, 2);
            assertThat(one.fields().getInt(12)).isEqualTo(1);
            one.fds().forEach(Fd::close);
        }
    }

    @Test
    void writesOnceForAnyNumberOfEvents() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = device(new Doorbell(2, TestDevice.BLOCKING, 4, OptionalLong.of(3)));
            try (EventFd event = EventFd.over(ask(client, 4096, 2).fds().getFirst())) {
                event.signal();
                ServerFixture.await("the write is inside", () -> device.inside.get() == 1);
                for (int i = 0; i < 10_000; i++) {
                    event.signal();
                }
                // The connection is attended to meanwhile.
                assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
                device.blocked.release(100);
                ServerFixture.await("two writes", () -> traffic().doorbells() == 2);
                assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
                assertThat(traffic().doorbells()).isEqualTo(2);
                assertThat(device.blocked.availablePermits()).isEqualTo(98);
            }
        }
    }

    @Test
    void countsAWriteThatFails() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = device(new Doorbell(2, TestDevice.CALLING, 4, OptionalLong.empty()));
            device.onAccess = () -> {
                throw new VfioException(Errno.EIO, "for the test");
            };
            try (EventFd event = EventFd.over(ask(client, 4096, 2).fds().getFirst())) {
                event.signal();
                ServerFixture.await("it failed", () -> traffic().errors() == 1);
                assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
            }
        }
    }

    @Test
    void keepsTheDeviceOpenUntilTheLastWriteHasComeOut() throws VfioException, InterruptedException {
        TestDevice device;
        try (RawClient client = fixture.ready()) {
            device = device(new Doorbell(2, TestDevice.BLOCKING, 4, OptionalLong.of(3)));
            try (EventFd event = EventFd.over(ask(client, 4096, 2).fds().getFirst())) {
                event.signal();
                ServerFixture.await("the write is inside", () -> device.inside.get() == 1);
            }
        }
        device.blocked.release();
        try (RawClient next = fixture.ready()) {
            assertThat(next.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
            assertThat(device.closed).isTrue();
            assertThat(device.calls).doesNotContain("closed out of order");
        }
    }
}
