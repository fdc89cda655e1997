// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import device.sim.settings.Settings;
import device.sim.settings.SettingsException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import vfio.pci.api.PciAddress;

class Xl710LayoutTest {
    @ParameterizedTest
    @CsvSource({"address,3b:00.8", "id,10de:1583", "id,8086", "vfs,abc", "vfs,65", "vfs,-1", "vf.id,154c", "vf.offset,0", "vf.stride,0"})
    void refusesAWrongValueByKeyAndValue(String key, String value) {
        assertThatThrownBy(() -> Xl710.layout(new Settings(Map.of(key, value)))).isInstanceOf(SettingsException.class)
            .hasMessageStartingWith(key + "=" + value + " expected=");
    }

    @Test
    void refusesVirtualFunctionsPastTheLastBus() {
        assertThatThrownBy(() -> Xl710.layout(new Settings(Map.of("address", "0000:ff:1f.0")))).isInstanceOf(SettingsException.class)
            .hasMessageContaining("0xffff");
    }

    @Test
    void isTheStandardCardByDefault() {
        Xl710Layout layout = Xl710.layout(new Settings(Map.of()));
        assertThat(layout).isEqualTo(new Xl710Layout(PciAddress.parse("0000:3b:00.0"), 0x1583, 4, 0x154C, 16, 1));
        assertThat(layout.virtualAddress(0)).hasToString("0000:3b:02.0");
        assertThat(layout.virtualAddress(3)).hasToString("0000:3b:02.3");
    }

    @Test
    void carriesRoutingIdsIntoTheBus() {
        Xl710Layout layout = Xl710.layout(new Settings(Map.of("address", "0001:3b:1f.0", "vf.stride", "2", "vfs", "64")));
        assertThat(layout.virtualAddress(0)).hasToString("0001:3c:01.0");
        assertThat(layout.virtualAddress(63)).hasToString("0001:3c:10.6");
    }

    @Test
    void takesNumbersAndText() {
        assertThat(Xl710.layout(new Settings(Map.of("vfs", 7))).virtualFunctions()).isEqualTo(7);
        assertThat(Xl710.layout(new Settings(Map.of("vfs", " 0 "))).virtualFunctions()).isZero();
    }
}
