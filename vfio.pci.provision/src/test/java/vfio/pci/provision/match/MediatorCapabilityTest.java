// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import vfio.pci.api.PciId;

class MediatorCapabilityTest {
    private static final PciId VF = new PciId(0x8086, 0x154C, 0x020000, 2, 0x8086, 1);

    private static MediatorCapability capability(String vendor, String device, String code) {
        return MediatorCapability.of(Map.of("vendor", List.of(vendor.split("/")), "device", List.of(device.split("/")), "class",
            List.of(code.split("/"))));
    }

    @ParameterizedTest
    @CsvSource({"8O86,154c,*", "*,15*,*", "*,*,2", "*,*,02000", "*,0x154c,*", "'',*,*"})
    void rejectsWhatIsNoNumber(String vendor, String device, String code) {
        assertThatThrownBy(() -> capability(vendor, device, code)).isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("expected=");
    }

    @ParameterizedTest
    @CsvSource({"8087,154c,*", "8086,154d,*", "8086,154c,0300", "8086,154c,020001", "*,1571/1572,*"})
    void doesNotFitAnotherFunction(String vendor, String device, String code) {
        assertThat(capability(vendor, device, code).wildcards(VF)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"8086,154c,020000,0", "8086,154C,02,0", "8086,1571/154c,*,1", "8086/*,*,0200,1", "8086,*,*,2", "*,*,*,3"})
    void countsWhatItLeavesOpen(String vendor, String device, String code, int wildcards) {
        assertThat(capability(vendor, device, code).wildcards(VF)).hasValue(wildcards);
    }

    @Test
    void missingAttributeIsAny() {
        assertThat(MediatorCapability.of(Map.of()).wildcards(VF)).hasValue(3);
        assertThat(MediatorCapability.of(Map.of("vendor", List.of("8086")))).hasToString("vendor=8086 device=* class=*");
    }
}
