// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import device.sim.settings.HardwareAddress;
import device.sim.settings.Settings;
import device.sim.settings.SettingsException;
import device.sim.wire.DatagramUplink;
import device.sim.wire.Switch;
import device.sim.wire.Uplink;
import device.sim.xl710.virtchnl.LinkSpeed;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.PciAddress;

class Xl710SettingsTest {
    private static final Xl710Layout LAYOUT = new Xl710Layout(PciAddress.parse("0000:3b:00.0"), 0x1583, 4, 0x154C, 16, 1);

    @Test
    void hasDefaults() {
        assertThat(read(Map.of())).isEqualTo(new VfSettings(4, LinkSpeed.SPEED_40GB, 0x0200_003B_0000L, Set.of()));
    }

    @Test
    void readsWhatIsSaid() {
        assertThat(read(Map.of("queue.pairs", "2", "link.speed", "25000", "mac", "52:54:00:12:34:56", "doorbells", "trapped")))
            .isEqualTo(new VfSettings(2, LinkSpeed.SPEED_25GB, 0x5254_0012_3456L, Set.of(0, 1, 2, 3)));
    }

    @ParameterizedTest
    @CsvSource({"queue.pairs, 5", "queue.pairs, 0", "link.speed, 100", "link.speed, fast", "mac, 01:00:5e:00:00:01", "mac, 52:54:00:12:34",
        "mac, 00:00:00:00:00:00", "doorbells, both", "doorbells.1, both"})
    void refusesWhatIsWrong(String key, String value) {
        assertThatThrownBy(() -> read(Map.of(key, value))).isInstanceOf(SettingsException.class).hasMessageContaining(value);
    }

    @Test
    void readsHowDoorbellsOfEachAre() {
        assertThat(read(Map.of("doorbells.1", "trapped")).trappedDoorbells()).containsExactly(1);
        assertThat(read(Map.of("doorbells", "trapped", "doorbells.0", "mapped", "doorbells.3", " trapped ")).trappedDoorbells())
            .containsExactlyInAnyOrder(1, 2, 3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"doorbells.4", "doorbells.-1", "doorbells.01", "doorbells.x", "doorbells."})
    void refusesDoorbellsOfAFunctionThatThereIsNot(String key) {
        assertThatThrownBy(() -> read(Map.of(key, "trapped"))).isInstanceOf(SettingsException.class).hasMessage(
            key + " expected=doorbells.N with N below vfs=4");
    }

    @Test
    void readsUplinks() {
        assertThat(UplinkSettings.parse("none")).isEqualTo(new UplinkSettings.None());
        assertThat(UplinkSettings.parse("tap:vf-tap0")).isEqualTo(new UplinkSettings.TapInterface("vf-tap0"));
        assertThat(UplinkSettings.parse("udp:127.0.0.1:4000-127.0.0.1:4001")).isEqualTo(new UplinkSettings.Datagrams(
            new InetSocketAddress("127.0.0.1", 4000), new InetSocketAddress("127.0.0.1", 4001)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "tap:", "tap:a/b", "tap:0123456789abcdef", "udp:127.0.0.1:1", "udp:127.0.0.1:1-127.0.0.1:99999", "lan"})
    void refusesOtherUplinks(String text) {
        assertThatThrownBy(() -> UplinkSettings.parse(text)).isInstanceOf(SettingsException.class).hasMessageContaining("uplink=" + text);
    }

    @Test
    void saysThatAnUplinkCannotBeHad() throws Exception {
        try (Switch wire = new Switch(1); Uplink first = UplinkSettings.parse("udp:127.0.0.1:0-127.0.0.1:9").open(wire)) {
            int port = ((InetSocketAddress) ((DatagramUplink) first).localAddress()).getPort();
            assertThatThrownBy(() -> UplinkSettings.parse("udp:127.0.0.1:%d-127.0.0.1:9".formatted(port)).open(wire))
                .isInstanceOf(SettingsException.class).hasMessageContaining("uplink=");
        }
    }

    @Test
    void writesHardwareAddressesAsItReadsThem() {
        assertThat(HardwareAddress.format(HardwareAddress.parse("52:54:00:12:34:Fe"))).isEqualTo("52:54:00:12:34:fe");
    }

    private static VfSettings read(Map<String, Object> values) {
        return Xl710.virtualFunctions(new Settings(values), LAYOUT);
    }
}
