// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.Semaphore;
import linux.sys.EventFd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;

class VersionTest {
    private static final int EINVAL = 22;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @ParameterizedTest
    @ValueSource(ints = {0, 2, 4, 5, 9, 10, 13, 15, 16, 99})
    void rejectsAnythingBeforeIt(int command) throws VfioException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            assertThat(client.call(command, Bytes.of().u64(0, 0)).errno()).isEqualTo(EINVAL);
            assertThat(fixture.pci.opened).isEmpty();
        }
    }

    @Test
    void rejectsASecondOne() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.VERSION, Bytes.of().u16(0, 0)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
        }
    }

    @Test
    void rejectsWhatIsShortOrHasAnotherMajor() throws VfioException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            assertThat(client.call(RawClient.VERSION, Bytes.of()).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.VERSION, Bytes.of().u16(0).u8(0)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.VERSION, Bytes.of().u16(1, 0)).errno()).isEqualTo(EINVAL);
        }
    }

    @Test
    void rejectsTextThatIsNoVersion() throws VfioException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            assertThat(client.call(RawClient.VERSION, Bytes.of().u16(0, 0).text("{}")).errno()).isEqualTo(EINVAL);
            Bytes wrong = Bytes.of().u16(0, 0).text("{\"capabilities\":{\"max_msg_fds\":\"x\"}}").u8(0);
            assertThat(client.call(RawClient.VERSION, wrong).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.VERSION, Bytes.of().u16(0, 0).u8('"', 0xFF, '"', 0)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.VERSION, Bytes.of().u16(0, 0).text(" ".repeat(5000)).u8(0)).errno()).isEqualTo(90);
        }
    }

    @Test
    void rejectsAndClosesDescriptors() throws VfioException {
        try (RawClient client = RawClient.connect(fixture.socket); EventFd event = EventFd.create()) {
            assertThat(client.call(RawClient.VERSION, Bytes.of()).errno()).isEqualTo(EINVAL);
            int before = ServerFixture.descriptors().size();
            assertThat(client.call(RawClient.VERSION, Bytes.of().u16(0, 0), event.fd()).errno()).isEqualTo(EINVAL);
            ServerFixture.await("the descriptor is closed", () -> ServerFixture.descriptors().size() <= before);
        }
    }

    @Test
    void tellsWhyTheDeviceCannotBeOpenedAndLetsTryAgain() throws VfioException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            fixture.pci.refusal = Errno.EBUSY;
            RawClient.Answer busy = client.call(RawClient.VERSION, Bytes.of().u16(0, 0));
            assertThat(busy.errno()).isEqualTo(16);
            assertThat(busy.flags()).isEqualTo(0x21);
            assertThat(busy.size()).isEqualTo(16);
            fixture.pci.refusal = null;
            assertThat(client.call(RawClient.VERSION, Bytes.of().u16(0, 0)).errno()).isZero();
        }
    }

    @Test
    void answersOnlyWhatWasProposed() throws VfioException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            RawClient.Answer answer = client.call(RawClient.VERSION, Bytes.of().u16(0, 7));
            assertThat(answer.flags()).isEqualTo(1);
            assertThat(Arrays.copyOf(answer.payload(), 4)).containsExactly(0, 0, 0, 0);
            assertThat(textOf(answer)).isEqualTo("{\"capabilities\":{}}");
        }
    }

    @Test
    void answersQemuInTheRoomItHas() throws VfioException, InterruptedException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            RawClient.Answer answer = client.call(RawClient.VERSION, Bytes.of().u16(0, 0).text("{\"capabilities\": {\"pgsizes\": 4096,"
                + " \"max_msg_fds\": 16, \"max_dma_maps\": 65535, \"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\":"
                + " 268435456, \"pgsize\": 4096}, \"write_multiple\": true}}").u8(0));
            assertThat(textOf(answer)).isEqualTo("{\"capabilities\":{\"max_msg_fds\":16,\"write_multiple\":true}}");
            assertThat(answer.size()).isLessThanOrEqualTo(214);
            assertThat(fixture.pci.next().client.features()).isEmpty();
        }
    }

    @Test
    void tellsTheDeviceThatAClientTakesPartInTrapping() throws VfioException, InterruptedException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            RawClient.Answer answer = client.call(RawClient.VERSION, Bytes.of().u16(0, 0)
                .text("{\"capabilities\":{\"x_disablable_areas\":true}}").u8(0));
            assertThat(textOf(answer)).isEqualTo("{\"capabilities\":{\"x_disablable_areas\":true}}");
            assertThat(fixture.pci.next().client.features()).containsExactly(Client.Feature.DISABLABLE_AREAS);
        }
    }

    @Test
    void answersWhatWasSentBehindItOnceTheDeviceIsOpen() throws VfioException {
        fixture.pci.gate = new Semaphore(0);
        try (RawClient client = RawClient.connect(fixture.socket)) {
            client.send(Bytes.of().raw(RawClient.message(1, RawClient.VERSION, 0, Bytes.of().u16(0, 0).array()).array())
                .raw(RawClient.message(2, RawClient.DEVICE_RESET, 0, new byte[0]).array()).array());
            assertThat(client.peek()).isEqualTo(RawClient.EAGAIN);
            fixture.pci.gate.release();
            assertThat(client.receive().id()).isEqualTo(1);
            assertThat(client.receive().id()).isEqualTo(2);
        }
    }

    private static String textOf(RawClient.Answer answer) {
        byte[] payload = answer.payload();
        assertThat(payload[payload.length - 1]).isZero();
        return new String(payload, 4, payload.length - 5, StandardCharsets.UTF_8);
    }
}
