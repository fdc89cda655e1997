// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;

/// Large reads that are answered straight from the device's memory.
class LentMemoryTest {
    private static final int EINVAL = 22;
    private static final int SIZE = 1 << 20;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    private static byte[] pattern(TestDevice device, long offset, int count) {
        MemorySegment memory = device.memory(2);
        for (int i = 0; i < count; i++) {
            memory.set(ValueLayout.JAVA_BYTE, offset + i, (byte) (i * 31 + (i >> 8)));
        }
        return memory.asSlice(offset, count).toArray(ValueLayout.JAVA_BYTE);
    }

    private TestDevice lending() throws InterruptedException {
        TestDevice device = fixture.pci.next();
        device.lends = true;
        return device;
    }

    @Test
    void rejectsWhatIsNotThere() throws Exception {
        try (RawClient client = fixture.ready()) {
            lending();
            RawClient.Answer answer = client.call(RawClient.REGION_READ, RawClient.access(TestDevice.BAR2_SIZE - 0x1000, 2, SIZE));
            assertThat(answer.errno()).isEqualTo(EINVAL);
            assertThat(answer.size()).isEqualTo(16);
        }
    }

    @Test
    void carriesTheBytesOfTheDevice() throws Exception {
        try (RawClient client = fixture.ready()) {
            TestDevice device = lending();
            byte[] expected = pattern(device, 0x123, SIZE);
            RawClient.Answer answer = client.call(RawClient.REGION_READ, RawClient.access(0x123, 2, SIZE));
            assertThat(answer.errno()).isZero();
            assertThat(Arrays.copyOf(answer.payload(), 16)).isEqualTo(RawClient.access(0x123, 2, SIZE).array());
            assertThat(Arrays.equals(answer.payload(), 16, 16 + SIZE, expected, 0, SIZE)).isTrue();
            assertThat(device.lendings).hasValue(1);
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4)).errno()).isZero();
            assertThat(device.lendings).as("a small one is copied").hasValue(1);
        }
    }

    @Test
    void isReadWhenItIsAskedAndNotWhenThereIsRoom() throws Exception {
        try (RawClient slow = fixture.ready()) {
            TestDevice device = lending();
            byte[] expected = pattern(device, 0, SIZE);
            int requests = 8;
            byte[] request = RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(0, 2, SIZE).array()).array();
            for (int i = 0; i < requests; i++) {
                slow.send(request);
            }
            // Then one is partly out.
            ServerFixture.await("an answer waits for room", () -> {
                int before = device.lendings.get();
                LockSupport.parkNanos(100_000_000);
                return before > 0 && before < requests && device.lendings.get() == before;
            });
            int lent = device.lendings.get();
            device.memory(2).asSlice(0, SIZE).fill((byte) 0x77);
            for (int i = 0; i < lent; i++) {
                assertThat(Arrays.equals(slow.receive().payload(), 16, 16 + SIZE, expected, 0, SIZE)).as("answer %d", i).isTrue();
            }
            for (int i = lent; i < requests; i++) {
                assertThat(slow.receive().payload()[16 + SIZE - 1]).isEqualTo((byte) 0x77);
            }
        }
    }

    @Test
    void isNotAnsweredWhenNoAnswerIsWanted() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = lending();
            client.post(RawClient.REGION_READ, RawClient.access(0, 2, SIZE));
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4)).payload()).hasSize(20);
            assertThat(device.lendings).hasValue(0);
        }
    }
}
