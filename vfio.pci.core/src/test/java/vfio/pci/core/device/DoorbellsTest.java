// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.mediation.Mediation;

/// What a client is told it can write by an event.
class DoorbellsTest {
    private static final Doorbell OF_BAR0 = new Doorbell(0, 0x3800, 4, OptionalLong.of(0x19));
    private static final Doorbell OF_BAR3 = new Doorbell(3, 0x100, 8, OptionalLong.empty());

    private final OneDevice one = new OneDevice();

    @AfterEach
    void close() {
        one.close();
    }

    @Test
    void areRegistersOfAnOrdinaryWidth() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Doorbell(6, 0, 4, OptionalLong.empty()));
        assertThatIllegalArgumentException().isThrownBy(() -> new Doorbell(0, 0, 3, OptionalLong.empty()));
        assertThatIllegalArgumentException().isThrownBy(() -> new Doorbell(0, 2, 4, OptionalLong.empty()));
        assertThatIllegalArgumentException().isThrownBy(() -> new Doorbell(0, 0, 2, OptionalLong.of(0x10000)));
        assertThat(new Doorbell(0, 0, 8, OptionalLong.of(-1)).value()).hasValue(-1);
    }

    @Test
    void areThoseOfTheFunctionWhereTheRegionHasThem() throws VfioException {
        one.hardware.doorbells = List.of(OF_BAR0, OF_BAR3, new Doorbell(0, 0x10000, 4, OptionalLong.empty()));
        try (VfioDevice device = one.open()) {
            assertThat(device.doorbells(0)).containsExactly(OF_BAR0);
            assertThat(device.doorbells(3)).containsExactly(OF_BAR3);
            assertThat(device.doorbells(RegionIndex.CONFIG)).isEmpty();
            assertThatThrownBy(() -> device.doorbells(99)).isInstanceOfSatisfying(VfioException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        }
    }

    @Test
    void areChangedByTheMediation() throws VfioException {
        one.hardware.doorbells = List.of(OF_BAR0);
        Doorbell own = new Doorbell(0, 0x40, 4, OptionalLong.empty());
        one.accepting("changing", context -> new Mediation() {
            @Override
            public List<Doorbell> doorbells(int region, List<Doorbell> defaults) {
                List<Doorbell> all = new ArrayList<>(defaults);
                // One of them of another region, and one that is none.
                all.addAll(List.of(own, OF_BAR3, new Doorbell(0, 0x10000, 4, OptionalLong.empty())));
                return all;
            }
        });
        try (VfioDevice device = one.open()) {
            assertThat(device.doorbells(0)).containsExactly(OF_BAR0, own);
        }
    }

    @Test
    void failWithTheMediation() throws VfioException {
        one.accepting("failing", context -> new Mediation() {
            @Override
            public List<Doorbell> doorbells(int region, List<Doorbell> defaults) {
                throw new IllegalStateException("for the test");
            }
        });
        try (VfioDevice device = one.open()) {
            assertThatThrownBy(() -> device.doorbells(0)).isInstanceOfSatisfying(VfioException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
        }
    }
}
