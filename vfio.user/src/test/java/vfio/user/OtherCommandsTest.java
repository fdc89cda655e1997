// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import linux.sys.EventFd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// DEVICE_RESET, REGION_WRITE_MULTI, DEVICE_FEATURE, and what is no command for a server.
class OtherCommandsTest {
    private static final int EIO = 5;
    private static final int EINVAL = 22;
    private static final int ENOTTY = 25;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @ParameterizedTest
    @ValueSource(ints = {0, 11, 12, 14, 19, 0x8000, 0xFFFF})
    void rejectsWhatAClientMayNotSendOrTheDeviceLacks(int command) throws VfioException {
        try (RawClient client = fixture.ready(); EventFd event = EventFd.create()) {
            int before = ServerFixture.descriptors().size();
            RawClient.Answer answer = client.call(command, Bytes.of().u64(0, 16), event.fd());
            assertThat(answer.errno()).isEqualTo(ENOTTY);
            assertThat(answer.size()).isEqualTo(16);
            ServerFixture.await("the descriptor is closed", () -> ServerFixture.descriptors().size() <= before);
        }
    }

    @Test
    void rejectsMigrationDataOfADeviceThatCannotBeMoved() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(17, Bytes.of().u32(16, 8)).errno()).isEqualTo(ENOTTY);
            assertThat(client.call(18, Bytes.of().u32(9, 1).u8(0)).errno()).isEqualTo(ENOTTY);
        }
    }

    @Test
    void rejectsAResetWithAPayload() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of().u8(0)).errno()).isEqualTo(EINVAL);
            assertThat(fixture.pci.next().calls).isEmpty();
        }
    }

    @Test
    void resets() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            RawClient.Answer answer = client.call(RawClient.DEVICE_RESET, Bytes.of());
            assertThat(answer.errno()).isZero();
            assertThat(answer.flags()).isEqualTo(1);
            assertThat(answer.size()).isEqualTo(16);
            assertThat(fixture.pci.next().calls).containsExactly("reset");
        }
    }

    @Test
    void rejectsWritesThatAreNotAsManyAsTheySay() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.REGION_WRITE_MULTI, Bytes.of().u32(0)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.REGION_WRITE_MULTI, Bytes.of().u64(0)).errno()).isEqualTo(EINVAL);
            for (long count : new long[] {0, 2, -1, Long.MIN_VALUE, 0x0AAAAAAAAAAAAAABL, 1L << 32 | 1}) {
                assertThat(client.call(RawClient.REGION_WRITE_MULTI, Bytes.of().u64(count, 0).u32(2, 4).u64(1)).errno()).isEqualTo(EINVAL);
            }
            assertThat(client.call(RawClient.REGION_WRITE_MULTI, Bytes.of().u64(1, 0).u32(2, 4).u64(1).u8(0)).errno()).isEqualTo(EINVAL);
        }
    }

    @Test
    void writesWhatWasCollectedAndCountsWhatWorked() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            Bytes writes = Bytes.of().u64(6).u64(0).u32(2, 8).u64(0x1122334455667788L).u64(8).u32(2, 2).u64(0xAAAABBBBL)
                .u64(16).u32(2, 9).u64(1).u64(16).u32(2, 0).u64(1).u64(16).u32(99, 4).u64(1).u64(16).u32(2, 4).u64(0xCCCCL);
            RawClient.Answer answer = client.call(RawClient.REGION_WRITE_MULTI, writes);
            assertThat(answer.payload()).isEqualTo(Bytes.of().u64(3).array());
            assertThat(device.memory(2).asSlice(0, 24).toArray(ValueLayout.JAVA_LONG))
                .containsExactly(0x1122334455667788L, 0xBBBBL, 0xCCCCL);
            assertThat(fixture.server.served().getFirst().errors()).isEqualTo(3);
        }
    }

    @Test
    void rejectsFeatures() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.DEVICE_FEATURE, Bytes.of().u32(8)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DEVICE_FEATURE, Bytes.of().u32(7, 1 << 16 | 1)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DEVICE_FEATURE, Bytes.of().u32(16, 1)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DEVICE_FEATURE, Bytes.of().u32(16, 3 << 16 | 1)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DEVICE_FEATURE, Bytes.of().u32(16, 1 << 19 | 1 << 16 | 1)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DEVICE_FEATURE, Bytes.of().u32(16, 1 << 16 | 1)).errno()).isEqualTo(ENOTTY);
            assertThat(client.call(RawClient.DEVICE_FEATURE, Bytes.of().u32(16, 1 << 17 | 2).u32(2, 0)).errno()).isEqualTo(ENOTTY);
            assertThat(client.call(RawClient.DEVICE_FEATURE, Bytes.of().u32(16, 7 << 16 | 2)).errno()).isEqualTo(ENOTTY);
        }
    }

    @Test
    void tellsThatAResetFailed() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            device.resetFailure = Errno.EIO;
            assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isEqualTo(EIO);
        }
    }
}
