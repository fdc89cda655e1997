// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;

/// How messages are found in the stream of bytes, whatever they ask.
class FramingTest {
    private static final int EINVAL = 22;
    private static final int EMFILE = 24;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 15, 0x100021, 0x7FFFFFFF, 0x80000000L, 0xFFFFFFFFL})
    void disconnectsAClientWhoseMessagesHaveNoSize(long size) throws VfioException {
        try (RawClient client = fixture.ready()) {
            Bytes good = RawClient.message(1, RawClient.DEVICE_RESET, 0, new byte[0]);
            client.send(good.u16(2, RawClient.DEVICE_RESET).u32(size, 0, 0).array());
            assertThat(client.receive().id()).as("what came before is answered").isEqualTo(1);
            assertThat(client.endsOrderly()).isTrue();
        }
        try (RawClient next = fixture.ready()) {
            assertThat(next.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
        }
    }

    @Test
    void disconnectsBeforeVersionToo() throws VfioException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            client.send(new byte[16]);
            assertThat(client.endsOrderly()).isTrue();
        }
    }

    @Test
    void doesNotAnswerReplies() throws VfioException {
        try (RawClient client = fixture.ready(); EventFd event = EventFd.create()) {
            int before = ServerFixture.descriptors().size();
            client.send(RawClient.message(9, RawClient.REGION_READ, 1, RawClient.access(0, 0, 4).array()).array(), event.fd());
            client.send(RawClient.message(9, RawClient.DEVICE_RESET, 0x21, new byte[0]).array());
            assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
            assertThat(fixture.server.served().getFirst().errors()).isEqualTo(2);
            ServerFixture.await("the descriptor is closed", () -> ServerFixture.descriptors().size() <= before);
        }
    }

    @Test
    void rejectsUnknownTypes() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            for (int type = 2; type < 16; type++) {
                client.send(RawClient.message(type, RawClient.DEVICE_RESET, type, new byte[0]).array());
                RawClient.Answer answer = client.receive();
                assertThat(answer.id()).isEqualTo(type);
                assertThat(answer.errno()).isEqualTo(EINVAL);
            }
            assertThat(fixture.pci.next().calls).isEmpty();
        }
    }

    @Test
    void findsMessagesThatComeByteByByte() throws VfioException {
        try (RawClient client = fixture.ready()) {
            byte[] message = RawClient.message(7, RawClient.REGION_WRITE, 0, RawClient.access(0, 2, 4).u32(5).array()).array();
            for (byte one : message) {
                client.send(new byte[] {one});
                long waited = fixture.server.served().getFirst().requests();
                assertThat(waited).isBetween(1L, 2L);
            }
            assertThat(client.receive().errno()).isZero();
        }
    }

    @Test
    void findsMessagesHoweverTheyAreCut() throws VfioException {
        Random random = new Random(42);
        try (RawClient client = fixture.ready()) {
            for (int round = 0; round < 30; round++) {
                Bytes all = Bytes.of();
                int messages = 1 + random.nextInt(40);
                for (int i = 0; i < messages; i++) {
                    int size = random.nextInt(5) == 0 ? 1 + random.nextInt(90_000) : 1 + random.nextInt(16);
                    all.raw(RawClient.message(i, RawClient.REGION_WRITE, 0,
                        RawClient.access(0, 2, size).raw(new byte[size]).array()).array());
                }
                byte[] bytes = all.array();
                for (int at = 0; at < bytes.length;) {
                    int piece = Math.min(bytes.length - at, 1 + random.nextInt(random.nextBoolean() ? 40 : 100_000));
                    client.send(Arrays.copyOfRange(bytes, at, at + piece));
                    at += piece;
                }
                for (int i = 0; i < messages; i++) {
                    RawClient.Answer answer = client.receive();
                    assertThat(answer.id()).isEqualTo(i);
                    assertThat(answer.errno()).isZero();
                }
            }
        }
    }

    @Test
    void givesDescriptorsToTheMessageTheyCameWith() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); Fd small = Memfd.create("a", 0x1000, false); Fd large = Memfd.create("b", 0x2000, false)) {
            byte[] first = RawClient.message(1, RawClient.DMA_MAP, 0, Bytes.of().u32(32, 3).u64(0, 0, 0x1000).array()).array();
            byte[] second = RawClient.message(2, RawClient.DMA_MAP, 0, Bytes.of().u32(32, 3).u64(0, 0x8000, 0x2000).array()).array();
            // The first in two pieces, its descriptor with the first piece; the end of it together with the second.
            client.send(Arrays.copyOf(first, 20), small);
            client.send(Bytes.of().raw(Arrays.copyOfRange(first, 20, first.length)).raw(second).array(), large);
            assertThat(client.receive().errno()).isZero();
            assertThat(client.receive().errno()).isZero();
            TestDevice device = fixture.pci.next();
            assertThat(((Fd) ((DmaBacking.File) device.mappings.get(0L).backing()).fd()).size()).isEqualTo(0x1000);
            assertThat(((Fd) ((DmaBacking.File) device.mappings.get(0x8000L).backing()).fd()).size()).isEqualTo(0x2000);
        }
    }

    @Test
    void rejectsMoreDescriptorsThanItCanHold() throws VfioException {
        try (RawClient client = fixture.ready(); EventFd event = EventFd.create()) {
            OwnedFd[] many = new OwnedFd[100];
            Arrays.fill(many, event.fd());
            int before = ServerFixture.descriptors().size();
            assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of(), many).errno()).isEqualTo(EMFILE);
            assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
            // A message in many pieces, each with descriptors.
            byte[] message = RawClient.message(3, RawClient.DEVICE_RESET, 0, new byte[0]).array();
            for (byte one : message) {
                client.send(new byte[] {one}, Arrays.copyOf(many, 10));
            }
            assertThat(client.receive().errno()).isEqualTo(EMFILE);
            ServerFixture.await("the descriptors are closed", () -> ServerFixture.descriptors().size() <= before);
        }
    }

    @Test
    void closesDescriptorsOfAMessageThatNeverEnds() throws VfioException {
        int before;
        try (EventFd event = EventFd.create()) {
            try (RawClient client = fixture.ready()) {
                before = ServerFixture.descriptors().size();
                client.send(Arrays.copyOf(RawClient.message(1, RawClient.SET_IRQS, 0, new byte[20]).array(), 30), event.fd(), event.fd());
                ServerFixture.await("they came", () -> ServerFixture.descriptors().size() == before + 2);
            }
            ServerFixture.await("they are closed", () -> ServerFixture.descriptors().size() < before);
        }
    }

    @Test
    void livesThroughNoise() throws VfioException {
        Random random = new Random(7);
        for (int round = 0; round < 200; round++) {
            try (RawClient client = round % 2 == 0 ? RawClient.connect(fixture.socket) : fixture.ready()) {
                Bytes noise = Bytes.of();
                for (int i = 0; i < 1 + random.nextInt(20); i++) {
                    byte[] payload = new byte[random.nextInt(64)];
                    random.nextBytes(payload);
                    noise.raw(RawClient.message(i, random.nextInt(20), random.nextInt(64), payload).array());
                }
                byte[] bytes = noise.array();
                if (random.nextInt(4) == 0) {
                    bytes[random.nextInt(bytes.length)] ^= (byte) (1 + random.nextInt(255));
                }
                client.trySend(bytes);
            }
        }
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
        }
    }
}
