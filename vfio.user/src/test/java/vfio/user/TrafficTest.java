// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.CommandTraffic;
import vfio.pci.api.admin.ServedTraffic;

/// What is counted of a served device.
class TrafficTest {
    @RegisterExtension
    final ServerFixture fixture = new ServerFixture(Limits.with(limits -> limits.request = Limits.BOUND));

    private ServedTraffic traffic() {
        return fixture.server.served().getFirst().traffic();
    }

    private CommandTraffic of(String command) {
        return traffic().commands().stream().filter(each -> each.command().equals(command)).findFirst()
            .orElse(new CommandTraffic(command, 0, 0, 0, 0, 0, 0));
    }

    @Test
    void countsEachCommandAndItsErrors() throws VfioException {
        try (RawClient client = fixture.ready()) {
            for (int i = 0; i < 10; i++) {
                client.call(RawClient.REGION_READ, RawClient.access(0, 0, 4));
            }
            client.call(RawClient.REGION_READ, RawClient.access(0, 77, 4));
            client.post(RawClient.REGION_WRITE, RawClient.access(0, 77, 4).u32(1));
            client.call(99, Bytes.of());
            client.call(14, Bytes.of());
        }
        // Also when the client has gone.
        ServerFixture.await("all are counted", () -> of("OTHER").max() > 0);
        assertThat(traffic().commands()).extracting(CommandTraffic::command)
            .containsExactly("VERSION", "REGION_READ", "REGION_WRITE", "OTHER");
        assertThat(traffic().commands()).extracting(CommandTraffic::requests).containsExactly(1L, 11L, 1L, 2L);
        assertThat(traffic().commands()).extracting(CommandTraffic::errors).containsExactly(0L, 1L, 1L, 2L);
        assertThat(traffic().requests()).isEqualTo(15);
        assertThat(traffic().errors()).isEqualTo(4);
        for (CommandTraffic each : traffic().commands()) {
            assertThat(List.of(each.p50(), each.p99(), each.p999(), each.max())).isSorted().doesNotContain(0L);
        }
    }

    @Test
    void addsUpOverClientsWhileTheirOwnCountersBeginAnew() throws VfioException {
        for (int i = 0; i < 3; i++) {
            try (RawClient client = fixture.ready()) {
                assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 77, 4)).errno()).isNotZero();
                assertThat(fixture.server.served().getFirst().requests()).isEqualTo(2);
                assertThat(fixture.server.served().getFirst().errors()).isEqualTo(1);
            }
        }
        assertThat(traffic().requests()).isEqualTo(6);
        assertThat(traffic().errors()).isEqualTo(3);
    }

    @Test
    void measuresTheDevicesTime() throws VfioException, InterruptedException {
        long start = System.nanoTime();
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            client.send(RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            ServerFixture.await("the access is inside", () -> device.inside.get() == 1);
            long inside = System.nanoTime();
            ServerFixture.await("it is given up", () -> traffic().timedOut() == 1);
            long lasted = System.nanoTime() - inside;
            device.blocked.release();
            ServerFixture.await("it is back", () -> traffic().lateResults() == 1);
            assertThat(of("REGION_READ").max()).isBetween(lasted, System.nanoTime() - start);
            assertThat(of("REGION_READ").requests()).isEqualTo(1);
            assertThat(of("REGION_READ").errors()).isZero();
        }
    }

    @Test
    void countsWhatItsClientDidNotWaitFor() throws VfioException {
        byte[] read = RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(0, 2, 1 << 20).array()).array();
        ByteBuffer eight = ByteBuffer.allocate(8 * read.length);
        for (int i = 0; i < 8; i++) {
            eight.put(read);
        }
        try (RawClient client = fixture.ready()) {
            client.send(eight.array());
            ServerFixture.await("the first answer is begun", () -> of("REGION_READ").max() > 0);
        }
        ServerFixture.await("the client has left", () -> fixture.server.served().getFirst().client().isEmpty());
        long begun = of("REGION_READ").requests();
        assertThat(begun).as("as many as the socket takes answers").isBetween(1L, 7L);
        assertThat(traffic().lost()).as("one answer half out, and the requests behind it").isEqualTo(1 + 8 - begun);
    }
}
