// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import linux.sys.EventFd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;

class RegionAccessTest {
    private static final int EINVAL = 22;
    private static final int ENODEV = 19;
    private static final int MAX = 1 << 20;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @Test
    void rejectsReadsOfWhatDoesNotExist() throws VfioException {
        try (RawClient client = fixture.ready()) {
            long[][] bad = {{0, 10, 4}, {0, 0x7FFFFFFF, 4}, {0, 0xFFFFFFFFL, 4}, {0, 1, 4}, {0x10000, 0, 1}, {0xFFFE, 0, 4},
                {-1, 0, 4}, {Long.MIN_VALUE, 0, 4}, {Long.MAX_VALUE, 0, 4}, {0, 0, 0}, {0, 2, MAX + 1}, {0, 2, 0xFFFFFFFFL}};
            for (long[] access : bad) {
                RawClient.Answer answer = client.call(RawClient.REGION_READ, RawClient.access(access[0], access[1], access[2]));
                assertThat(answer.errno()).as(Arrays.toString(access)).isEqualTo(EINVAL);
                assertThat(answer.size()).isEqualTo(16);
            }
            assertThat(client.call(RawClient.REGION_READ, Bytes.of().u64(0).u32(0)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 0, 4).u8(0)).errno()).isEqualTo(EINVAL);
        }
    }

    @Test
    void rejectsWritesOfAnotherLengthThanCame() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.REGION_WRITE, RawClient.access(0, 0, 4)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.REGION_WRITE, RawClient.access(0, 0, 4).u8(1, 2, 3)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.REGION_WRITE, RawClient.access(0, 0, 4).u8(1, 2, 3, 4, 5)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.REGION_WRITE, RawClient.access(0, 0, 0)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.REGION_WRITE, RawClient.access(0xFFFE, 0, 4).u32(1)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.REGION_WRITE, RawClient.access(-4, 0, 4).u32(1)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.REGION_WRITE, Bytes.of().u64(0)).errno()).isEqualTo(EINVAL);
            assertThat(fixture.pci.next().memory(0).get(ValueLayout.JAVA_LONG, 0)).isZero();
        }
    }

    @Test
    void rejectsAndClosesDescriptors() throws VfioException {
        try (RawClient client = fixture.ready(); EventFd event = EventFd.create()) {
            int before = ServerFixture.descriptors().size();
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 0, 4), event.fd()).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.REGION_WRITE, RawClient.access(0, 0, 4).u32(1), event.fd(), event.fd()).errno())
                .isEqualTo(EINVAL);
            ServerFixture.await("the descriptors are closed", () -> ServerFixture.descriptors().size() <= before);
        }
    }

    @Test
    void readsAndWritesOfEveryWidth() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            for (int width : new int[] {1, 2, 3, 4, 8, 256, 4096}) {
                byte[] data = new byte[width];
                Arrays.fill(data, (byte) width);
                RawClient.Answer written = client.call(RawClient.REGION_WRITE, RawClient.access(0x2001, 2, width).raw(data));
                assertThat(written.errno()).isZero();
                assertThat(written.payload()).isEqualTo(RawClient.access(0x2001, 2, width).array());
                assertThat(device.memory(2).asSlice(0x2001, width).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(data);
                RawClient.Answer read = client.call(RawClient.REGION_READ, RawClient.access(0x2001, 2, width));
                assertThat(read.flags()).isEqualTo(1);
                assertThat(read.payload()).isEqualTo(RawClient.access(0x2001, 2, width).raw(data).array());
            }
        }
    }

    @Test
    void readsAndWritesAsMuchAsWasAgreed() throws VfioException {
        try (RawClient client = fixture.ready()) {
            byte[] data = new byte[MAX];
            for (int i = 0; i < MAX; i++) {
                data[i] = (byte) (i * 31 >>> 3);
            }
            for (int round = 0; round < 4; round++) {
                long offset = round * (long) MAX / 2;
                assertThat(client.call(RawClient.REGION_WRITE, RawClient.access(offset, 2, MAX).raw(data)).errno()).isZero();
                RawClient.Answer read = client.call(RawClient.REGION_READ, RawClient.access(offset, 2, MAX));
                assertThat(Arrays.equals(read.payload(), 16, read.payload().length, data, 0, MAX)).isTrue();
            }
        }
    }

    @Test
    void carriesOutPostedWritesInOrderAndSilently() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            for (int i = 1; i <= 1000; i++) {
                client.post(RawClient.REGION_WRITE, RawClient.access(8, 2, 4).u32(i));
            }
            client.post(RawClient.REGION_WRITE, RawClient.access(8, 99, 4).u32(1));
            client.post(RawClient.REGION_READ, RawClient.access(8, 2, 4));
            RawClient.Answer read = client.call(RawClient.REGION_READ, RawClient.access(8, 2, 4));
            assertThat(read.fields().getInt(16)).isEqualTo(1000);
            assertThat(fixture.server.served().getFirst().requests()).isEqualTo(1004);
            assertThat(fixture.server.served().getFirst().errors()).isEqualTo(1);
        }
    }

    @Test
    void tellsTheDevicesOwnErrors() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            device.blocked.release();
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(TestDevice.BLOCKING, 2, 4)).errno()).isZero();
            client.send(RawClient.message(7, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            ServerFixture.await("the access is inside", () -> device.inside.get() == 1);
            client.send(RawClient.message(8, RawClient.REGION_READ, 0, RawClient.access(0, 2, 4).array()).array());
            device.goAway();
            device.blocked.release();
            assertThat(client.receive().errno()).isZero();
            assertThat(client.receive().errno()).isEqualTo(ENODEV);
            assertThat(client.endsOrderly()).isTrue();
        }
    }
}
