// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Mapping;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import vfio.pci.api.VfioException;

/// DEVICE_GET_INFO, DEVICE_GET_REGION_INFO, DEVICE_GET_REGION_IO_FDS, DEVICE_GET_IRQ_INFO.
class InfoTest {
    private static final int EINVAL = 22;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @ParameterizedTest(name = "command {0} of {1} bytes")
    @CsvSource({"4,16", "5,32", "6,16", "7,16"})
    void rejectsAnotherSizeALittleArgszAndDescriptors(int command, int size) throws VfioException {
        try (RawClient client = fixture.ready(); EventFd event = EventFd.create()) {
            byte[] good = Arrays.copyOf(Bytes.of().u32(size).array(), size);
            int before = ServerFixture.descriptors().size();
            assertThat(client.call(command, Bytes.of()).errno()).isEqualTo(EINVAL);
            assertThat(client.call(command, Bytes.of().raw(Arrays.copyOf(good, size - 1))).errno()).isEqualTo(EINVAL);
            assertThat(client.call(command, Bytes.of().raw(Arrays.copyOf(good, size + 4))).errno()).isEqualTo(EINVAL);
            byte[] little = good.clone();
            little[0]--;
            assertThat(client.call(command, Bytes.of().raw(little)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(command, Bytes.of().raw(good), event.fd()).errno()).isEqualTo(EINVAL);
            ServerFixture.await("the descriptor is closed", () -> ServerFixture.descriptors().size() <= before);
        }
    }

    @Test
    void rejectsRegionsAndIrqsThatDoNotExist() throws VfioException {
        try (RawClient client = fixture.ready()) {
            for (long index : new long[] {10, 0x7FFFFFFF, 0x80000000L, 0xFFFFFFFFL}) {
                assertThat(regionInfo(client, index, 32).errno()).isEqualTo(EINVAL);
                assertThat(client.call(RawClient.GET_IRQ_INFO, Bytes.of().u32(16, 0, index, 0)).errno()).isEqualTo(EINVAL);
                assertThat(client.call(RawClient.GET_REGION_IO_FDS, Bytes.of().u32(16, 0, index, 0)).errno()).isEqualTo(EINVAL);
            }
            assertThat(client.call(RawClient.GET_IRQ_INFO, Bytes.of().u32(16, 0, 6, 0)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.GET_REGION_IO_FDS, Bytes.of().u32(16, 1, 0, 0)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.GET_REGION_IO_FDS, Bytes.of().u32(16, 0, 0, 1)).errno()).isEqualTo(EINVAL);
        }
    }

    @Test
    void tellsTheDevice() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.GET_INFO, Bytes.of().u32(64, 0, 0, 0)).payload())
                .isEqualTo(Bytes.of().u32(16, 3, 10, 6).array());
        }
    }

    @Test
    void tellsInterrupts() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(irqInfo(client, 0)).isEqualTo(Bytes.of().u32(16, 7, 0, 1).array());
            assertThat(irqInfo(client, 1)).isEqualTo(Bytes.of().u32(16, 0, 1, 0).array());
            assertThat(irqInfo(client, 2)).isEqualTo(Bytes.of().u32(16, 9, 2, 20).array());
        }
    }

    @Test
    void tellsThatNoRegionHasIoFds() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.GET_REGION_IO_FDS, Bytes.of().u32(4096, 0, 2, 0)).payload())
                .isEqualTo(Bytes.of().u32(16, 0, 2, 0).array());
        }
    }

    @Test
    void tellsRegionsWithoutCapabilitiesAtOnce() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(regionInfo(client, 2, 32).payload()).isEqualTo(Bytes.of().u32(32, 3, 2, 0).u64(TestDevice.BAR2_SIZE, 0).array());
            assertThat(regionInfo(client, 1, 4096).payload()).isEqualTo(Bytes.of().u32(32, 0, 1, 0).u64(0, 0).array());
        }
    }

    @Test
    void tellsWhatAnIncompleteAnswerTakesAndSendsNoDescriptor() throws VfioException {
        try (RawClient client = fixture.ready()) {
            for (int argsz : new int[] {32, 40, 79}) {
                RawClient.Answer answer = regionInfo(client, 0, argsz);
                assertThat(answer.payload()).isEqualTo(Bytes.of().u32(80, 7, 0, 0).u64(TestDevice.BAR0_SIZE, 0).array());
                assertThat(answer.fds()).isEmpty();
            }
        }
    }

    @Test
    void sendsTheListAndOneDescriptorWithACompleteAnswer() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            RawClient.Answer answer = regionInfo(client, 0, 80);
            assertThat(answer.payload()).isEqualTo(Bytes.of().u32(80, 15, 0, 32).u64(TestDevice.BAR0_SIZE, 0)
                .u16(1, 1).u32(0, 2, 0).u64(0x1000, 0x1000, 0x8000, 0x2000).array());
            assertThat(answer.fds()).hasSize(1);
            try (Fd file = answer.fds().getFirst(); Mapping mapping = Mapping.of(file, 0x8000, 0x2000, true, true)) {
                mapping.memory().setAtIndex(ValueLayout.JAVA_INT, 3, 0xCAFE);
                assertThat(fixture.pci.next().memory(0).get(ValueLayout.JAVA_INT, 0x800C)).isEqualTo(0xCAFE);
            }
        }
    }

    @Test
    void tellsWhichAreasAreDisablableToAClientThatAsked() throws VfioException {
        try (RawClient client = RawClient.ready(fixture.socket, "{\"capabilities\":{\"x_disablable_areas\":true}}")) {
            assertThat(regionInfo(client, 0, 80).payload()).hasSize(32);
            RawClient.Answer answer = regionInfo(client, 0, 104);
            assertThat(answer.payload()).isEqualTo(Bytes.of().u32(104, 15, 0, 32).u64(TestDevice.BAR0_SIZE, 0)
                .u16(1, 1).u32(80, 2, 0).u64(0x1000, 0x1000, 0x8000, 0x2000).u16(0xD15A, 1).u32(0, 2, 0).u64(2).array());
            answer.fds().forEach(Fd::close);
        }
    }

    @Test
    void tellsTheTypeOfASpecificRegion() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(regionInfo(client, TestDevice.SPECIFIC, 48).payload())
                .isEqualTo(Bytes.of().u32(48, 11, 9, 32).u64(0x1000, 0).u16(2, 1).u32(0, 3, 1).array());
        }
    }

    private static RawClient.Answer regionInfo(RawClient client, long index, long argsz) {
        return client.call(RawClient.GET_REGION_INFO, Bytes.of().u32(argsz, 0, index, 0).u64(0, 0));
    }

    private static byte[] irqInfo(RawClient client, int index) {
        return client.call(RawClient.GET_IRQ_INFO, Bytes.of().u32(16, 0, index, 0)).payload();
    }
}
