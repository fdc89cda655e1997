// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.PciAddress;

class I40eConfigTest {
    @ParameterizedTest
    @ValueSource(strings = {"interrupt-relay", "doorbell", "", "DEVICE-LOG"})
    void movesNothingWithAStrategyThatDoesNotExistOrMissesPages(String name) {
        assertThat(I40eConfig.strategy(Map.of("migration", "true", "dirty-tracking", name))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"device-log", "doorbell-trap", "all", "interrupt-relay"})
    void movesNothingUnlessItIsSaid(String name) {
        assertThat(I40eConfig.strategy(Map.of("dirty-tracking", name, "experimental", "true"))).isEmpty();
    }

    @Test
    void logsTransfersUnlessSomethingElseIsSaid() {
        assertThat(tracking(Map.of("migration", "true"))).isInstanceOf(DeviceLog.class);
    }

    @Test
    void takesTheStrategyThatIsNamed() {
        assertThat(tracking(Map.of("migration", "true", "dirty-tracking", "doorbell-trap"))).isInstanceOf(DoorbellTrap.class);
        assertThat(tracking(Map.of("migration", "true", "dirty-tracking", " all "))).isInstanceOf(All.class);
        assertThat(tracking(Map.of("migration", true, "dirty-tracking", "interrupt-relay", "experimental", true)))
            .isInstanceOf(InterruptRelay.class);
    }

    private static DirtyTracking tracking(Map<String, Object> properties) {
        return I40eConfig.strategy(properties).orElseThrow().of(PciAddress.parse("3b:02.0"), new RecordingContext(), null);
    }
}
