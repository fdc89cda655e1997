// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;
import vfio.user.command.ClientLimits;

/// A client that does not look at the error flag, as cloud-hypervisor's, gets all ones where a region access fails.
class LenientClientTest {
    @RegisterExtension
    final ServerFixture fixture = new ServerFixture(Limits.with(limits -> {
        limits.errors = ClientLimits.ErrorAnswers.ALL_ONES;
        limits.request = Limits.BOUND;
    }));

    @Test
    void getsErrorsOfAllOtherCommandsAndOfAccessesThatSayNoSize() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.GET_REGION_INFO, Bytes.of().u32(0)).errno()).isEqualTo(22);
            assertThat(client.call(RawClient.REGION_READ, Bytes.of().u64(0)).errno()).isEqualTo(22);
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 2, 0xFFFFFFFFL)).errno()).isEqualTo(22);
        }
    }

    @Test
    void getsAsMuchDataAsItAskedForAllOnes() throws VfioException {
        try (RawClient client = fixture.ready()) {
            RawClient.Answer read = client.call(RawClient.REGION_READ, RawClient.access(0, 99, 4));
            assertThat(read.flags()).isEqualTo(1);
            assertThat(read.errno()).isZero();
            assertThat(read.payload()).isEqualTo(RawClient.access(0, 99, 4).u32(0xFFFFFFFFL).array());
            RawClient.Answer write = client.call(RawClient.REGION_WRITE, RawClient.access(0, 99, 4).u32(1));
            assertThat(write.errno()).isZero();
            assertThat(write.payload()).isEqualTo(RawClient.access(0, 99, 4).array());
            assertThat(fixture.server.served().getFirst().errors()).isEqualTo(2);
        }
    }

    @Test
    void getsThemWhenTheDeviceIsStuckToo() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            RawClient.Answer read = client.call(RawClient.REGION_READ, RawClient.access(TestDevice.BLOCKING, 2, 8));
            assertThat(read.payload()).isEqualTo(RawClient.access(TestDevice.BLOCKING, 2, 8).u64(-1).array());
            device.blocked.release();
        }
    }

    @Test
    void seesTheEndWhenItWouldWaitForTheRestOfALateAnswer() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            client.call(RawClient.REGION_READ, RawClient.access(TestDevice.BLOCKING, 2, 8));
            assertThat(client.call(RawClient.GET_INFO, Bytes.of().u32(16, 0, 0, 0)).errno()).isEqualTo(110);
            assertThat(client.endsOrderly()).as("though the device is stuck").isTrue();
            device.blocked.release();
        }
    }
}
