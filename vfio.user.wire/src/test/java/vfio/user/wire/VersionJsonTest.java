// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

class VersionJsonTest {
    @ParameterizedTest
    @ValueSource(strings = {"", " ", "{", "[]", "3", "null", "{\"capabilities\":3}", "{\"capabilities\":{\"max_msg_fds\":\"8\"}}",
        "{\"capabilities\":{\"max_msg_fds\":-1}}", "{\"capabilities\":{\"max_msg_fds\":2147483648}}",
        "{\"capabilities\":{\"max_data_xfer_size\":1e999999999}}", "{\"capabilities\":{\"max_dma_maps\":9223372036854775808}}",
        "{\"capabilities\":{\"pgsizes\":4096.5}}", "{\"capabilities\":{\"write_multiple\":1}}", "{\"capabilities\":{\"twin_socket\":true}}",
        "{\"capabilities\":{\"x_disablable_areas\":null}}", "{\"capabilities\":{}} x"})
    void rejects(String text) {
        assertThatThrownBy(() -> VersionJson.parse(text)).isInstanceOfSatisfying(VfioException.class,
            e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    }

    @Test
    void rejectsNestingThatWouldOverflowTheStack() {
        assertThatThrownBy(() -> VersionJson.parse("{\"a\":" + "[".repeat(100_000))).isInstanceOf(VfioException.class);
    }

    @Test
    void readsNothingSaid() throws VfioException {
        assertThat(VersionJson.parse("{}")).isEqualTo(VersionCapabilities.NONE);
        assertThat(VersionJson.parse("{\"capabilities\":{\"someday\":[1,{}]}}")).isEqualTo(VersionCapabilities.NONE);
    }

    @Test
    void readsWhatQemuSays() throws VfioException {
        VersionCapabilities said = VersionJson.parse("{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535,"
            + " \"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, \"pgsize\": 4096},"
            + " \"write_multiple\": true}}");
        assertThat(said).isEqualTo(new VersionCapabilities(OptionalInt.of(16), OptionalLong.of(1048576), OptionalLong.of(65535),
            OptionalLong.of(4096), true, false, OptionalInt.empty(), false));
    }

    @Test
    void writesOnlyWhatIsSaid() throws VfioException {
        assertThat(VersionJson.format(VersionCapabilities.NONE)).isEqualTo("{\"capabilities\":{}}");
        VersionCapabilities all = new VersionCapabilities(OptionalInt.of(8), OptionalLong.of(4096), OptionalLong.of(10),
            OptionalLong.of(0x201000), true, true, OptionalInt.of(0), true);
        assertThat(VersionJson.format(all)).isEqualTo("{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":4096,"
            + "\"max_dma_maps\":10,\"pgsizes\":2101248,\"write_multiple\":true,\"twin_socket\":{\"supported\":true,\"fd_index\":0},"
            + "\"x_disablable_areas\":true}}");
        assertThat(VersionJson.parse(VersionJson.format(all))).isEqualTo(all);
    }
}
