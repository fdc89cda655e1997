// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;

/// A client that does not read its answers costs itself, and nobody else.
class SlowClientTest {
    private static final int SIZE = 1 << 20;
    private static final int REQUESTS = 40;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @Test
    void isNotReadFromAndHoldsUpNobody() throws VfioException {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.serve(TestPci.SECOND, second);
        try (RawClient slow = fixture.ready(); RawClient quick = RawClient.ready(second)) {
            byte[] request = RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(0, 2, SIZE).array()).array();
            int sent = 0;
            while (sent < REQUESTS) {
                assertThat(slow.trySend(request)).isEqualTo(request.length);
                sent++;
            }
            for (int i = 0; i < 2000; i++) {
                assertThat(quick.call(RawClient.REGION_READ, RawClient.access(0, 2, 4)).errno()).isZero();
            }
            assertThat(fixture.server.served().getFirst().requests()).as("answers wait for room, one at a time").isLessThan(REQUESTS);
            for (int i = 0; i < REQUESTS; i++) {
                RawClient.Answer answer = slow.receive();
                assertThat(answer.errno()).isZero();
                assertThat(answer.payload()).hasSize(16 + SIZE);
            }
            assertThat(slow.peek()).isEqualTo(RawClient.EAGAIN);
        }
        fixture.server.unserve(TestPci.SECOND);
    }

    @Test
    void canLeaveWithoutHavingReadAnything() throws VfioException, InterruptedException {
        byte[] request = RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(0, 2, SIZE).array()).array();
        try (RawClient slow = fixture.ready()) {
            slow.send(request);
            slow.send(request);
        }
        TestDevice device = fixture.pci.next();
        ServerFixture.await("the device is closed", () -> device.closed);
    }

    @Test
    void isCutOffWhenServingEnds() throws VfioException {
        byte[] request = RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(0, 2, SIZE).array()).array();
        try (RawClient slow = fixture.ready()) {
            slow.send(request);
            slow.send(request);
            ServerFixture.await("the first is being answered", () -> fixture.server.served().getFirst().requests() >= 2);
            fixture.server.unserve(TestPci.FIRST);
            assertThat(fixture.server.served()).isEmpty();
        }
    }

    @Test
    void getsAnswersInOrderWithTheirDescriptorsAfterAWait() throws VfioException {
        try (RawClient slow = fixture.ready()) {
            for (int i = 0; i < 3; i++) {
                slow.send(RawClient.message(10 + i, RawClient.REGION_READ, 0, RawClient.access(0, 2, SIZE).array()).array());
                slow.send(RawClient.message(20 + i, RawClient.GET_REGION_INFO, 0, Bytes.of().u32(80, 0, 0, 0).u64(0, 0).array()).array());
            }
            for (int i = 0; i < 3; i++) {
                RawClient.Answer data = slow.receive();
                assertThat(data.id()).isEqualTo(10 + i);
                assertThat(data.fds()).isEmpty();
                assertThat(Arrays.equals(data.payload(), 16, 16 + SIZE, new byte[SIZE], 0, SIZE)).isTrue();
                RawClient.Answer info = slow.receive();
                assertThat(info.id()).isEqualTo(20 + i);
                assertThat(info.fds()).hasSize(1);
                info.fds().getFirst().close();
            }
        }
    }
}
