// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;

class GuardConfigTest {
    private static final PciAddress VF0 = PciAddress.parse("3b:02.0");
    private static final PciId VF = new PciId(0x8086, 0x154C, 0x020000, 0, 0, 0);
    private static final PciId OTHER = new PciId(0x1AF4, 0x1000, 0x020000, 0, 0, 0);

    private final Map<String, Object> properties = new HashMap<>(Map.of("devices", "8086:154c", "rule.1", "deny write bar0",
        "service.pid", "mediator.guard~one", "component.name", "mediator.guard",
        "osgi.ds.satisfying.condition.target", "(osgi.condition.id=true)", "felix.fileinstall.filename", "file:/etc/x.cfg"));

    @Test
    void refusesAKeyNobodyKnows() {
        assertWrong("rules.2", "deny write bar0", "key=rules.2", "expected=devices, service.ranking or rule.NAME");
    }

    @Test
    void refusesAWrongRankingOrDevice() {
        assertWrong("service.ranking", "high", "key=service.ranking", "value=\"high\"", "expected=a number");
        assertWrong("service.ranking", "0", "devices", "8086", "key=devices", "value=\"8086\"");
        assertWrong("devices", " , ", "key=devices", "value=\"\"");
        assertWrong("devices", "8086:154c, 8086:15zz", "value=\"8086:15zz\"");
    }

    @Test
    void refusesToBeWithoutRules() {
        properties.remove("rule.1");
        assertThatThrownBy(() -> GuardConfig.of(properties)).hasMessageContaining("key=rule.NAME").hasMessageContaining("expected=1 to 64");
    }

    @Test
    void takesRankingAndDevicesAsAFileGivesThem() {
        properties.put("service.ranking", " 7 ");
        GuardConfig config = GuardConfig.of(properties);
        assertThat(config.name()).isEqualTo("guard-one");
        assertThat(config.ranking()).isEqualTo(7);
        assertThat(config.devices().include(VF, VF0)).isTrue();
        assertThat(config.devices().include(OTHER, VF0)).isFalse();
        properties.put("devices", new String[] {"1af4:*", "0000:3B:02.0"});
        properties.put("service.ranking", 9);
        config = GuardConfig.of(properties);
        assertThat(config.ranking()).isEqualTo(9);
        assertThat(config.devices().include(OTHER, PciAddress.parse("00:01.0"))).isTrue();
        assertThat(config.devices().include(VF, VF0)).isTrue();
        assertThat(config.devices().include(VF, PciAddress.parse("3b:02.1"))).isFalse();
    }

    @Test
    void asksRulesInTheOrderOfTheirNames() {
        properties.put("rule.0-first", "log access bar0");
        properties.put("rule.z", "log access bar0");
        assertThat(GuardConfig.of(properties).rules()).extracting(Rule::name).isEqualTo(List.of("0-first", "1", "z"));
    }

    private void assertWrong(String key, String value, String... expected) {
        properties.put(key, value);
        if (expected.length > 2 && !expected[0].contains("=")) {
            properties.put(expected[0], expected[1]);
            assertThatThrownBy(() -> GuardConfig.of(properties)).hasMessageContainingAll(expected[2], expected[3]);
            return;
        }
        assertThatThrownBy(() -> GuardConfig.of(properties)).hasMessageContainingAll(expected);
    }
}
