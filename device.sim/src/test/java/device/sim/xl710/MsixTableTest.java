// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static org.assertj.core.api.Assertions.assertThat;

import device.sim.TestDriver;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

class MsixTableTest {
    @Test
    void keepsItsEntriesAndNothingBesides() throws VfioException {
        try (TestDriver driver = TestDriver.bind(TestCard.standard().virtualFunction(0))) {
            for (int offset = 0; offset < 0x4000; offset += 4) {
                driver.write(3, offset, 4, 0xFFFF_FFFFL);
            }
            for (int offset = 0; offset < 0x4000; offset += 4) {
                long expected = offset >= 5 * 16 ? 0 : switch (offset % 16) {
                    case 0 -> 0xFFFF_FFFCL;
                    case 12 -> 1;
                    default -> 0xFFFF_FFFFL;
                };
                assertThat(driver.read(3, offset, 4)).as("0x%x", offset).isEqualTo(expected);
            }
        }
    }

    @Test
    void masksEveryVectorAtFirst() throws VfioException {
        try (TestDriver driver = TestDriver.bind(TestCard.standard().virtualFunction(0))) {
            for (int vector = 0; vector < 5; vector++) {
                assertThat(driver.read(3, 16L * vector + 8, 8)).isEqualTo(1L << 32);
            }
        }
    }
}
