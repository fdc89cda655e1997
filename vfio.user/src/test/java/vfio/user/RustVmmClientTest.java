// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.command.ClientLimits;

/// The client of rust-vmm's crate vfio-user, which cloud-hypervisor uses, is recognised by its VERSION: the text is what that crate writes.
class RustVmmClientTest {
    private static final String TEXT =
        "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096}}}";
    private static final int EBUSY = 16;
    private static final int EINVAL = 22;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    private static RawClient connect(ServerFixture fixture, int minor, String text) throws VfioException {
        RawClient client = RawClient.connect(fixture.socket);
        assertThat(client.call(RawClient.VERSION, Bytes.of().u16(0, minor).text(text).u8(0)).errno()).isZero();
        return client;
    }

    @Test
    void getsAllOnesWhereAnAccessFails() throws VfioException {
        try (RawClient client = connect(fixture, 1, TEXT)) {
            RawClient.Answer read = client.call(RawClient.REGION_READ, RawClient.access(0, 77, 4));
            assertThat(read.errno()).isZero();
            assertThat(read.payload()).isEqualTo(RawClient.access(0, 77, 4).u32(0xFFFFFFFFL).array());
            assertThat(client.call(RawClient.REGION_WRITE, RawClient.access(0, 77, 4).u32(1)).payload())
                .isEqualTo(RawClient.access(0, 77, 4).array());
            assertThat(client.call(RawClient.GET_REGION_INFO, Bytes.of().u32(0)).errno()).as("another command").isEqualTo(EINVAL);
        }
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 77, 4)).errno()).as("the next client").isEqualTo(EINVAL);
        }
    }

    @Test
    void seesTheEndWhereItWouldWaitForTheRestOfAnAnswer() throws VfioException {
        int[] commands = {RawClient.DMA_UNMAP, RawClient.GET_INFO, RawClient.GET_IRQ_INFO};
        for (int command : commands) {
            try (RawClient client = connect(fixture, 1, TEXT)) {
                assertThat(client.call(command, Bytes.of().u32(0)).errno()).isEqualTo(EINVAL);
                assertThat(client.endsOrderly()).isTrue();
            }
            try (RawClient client = fixture.ready()) {
                assertThat(client.call(command, Bytes.of().u32(0)).errno()).isEqualTo(EINVAL);
                assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).as("another client stays").isZero();
            }
        }
    }

    @Test
    void seesTheEndWhenTheDeviceCannotBeOpened() throws VfioException {
        fixture.pci.refusal = Errno.EBUSY;
        try (RawClient client = RawClient.connect(fixture.socket)) {
            assertThat(client.call(RawClient.VERSION, Bytes.of().u16(0, 1).text(TEXT).u8(0)).errno()).isEqualTo(EBUSY);
            assertThat(client.endsOrderly()).isTrue();
        }
        fixture.pci.refusal = null;
        connect(fixture, 1, TEXT).close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096}}}",
        "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096},\"write_multiple\":true}}",
        "{\"capabilities\": {\"max_msg_fds\": 1, \"max_data_xfer_size\": 1048576, \"migration\": {\"pgsize\": 4096}}}"})
    void isNotTakenForAnother(String text) throws VfioException {
        try (RawClient client = connect(fixture, 1, text)) {
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 77, 4)).errno()).isEqualTo(EINVAL);
        }
    }

    @Test
    void isNotOneOfMinorVersionZeroNorOneConfiguredOtherwise() throws VfioException {
        try (RawClient client = connect(fixture, 0, TEXT)) {
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 77, 4)).errno()).isEqualTo(EINVAL);
        }
        fixture.server.unserve(TestPci.FIRST);
        fixture.server.setRules(Limits.with(limits -> limits.errors = ClientLimits.ErrorAnswers.ERRNO), SocketRules.standard());
        fixture.server.serve(TestPci.FIRST, fixture.socket);
        try (RawClient client = connect(fixture, 1, TEXT)) {
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 77, 4)).errno()).isEqualTo(EINVAL);
        }
    }
}
