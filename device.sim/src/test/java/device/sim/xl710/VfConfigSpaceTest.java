// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import device.sim.configspace.CapabilityWalker;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

class VfConfigSpaceTest extends OneVf {
    @Test
    void identifiesItself() throws VfioException {
        assertThat(driver.function().configSize()).isEqualTo(4096);
        assertThat(driver.config(0x00, 4)).isEqualTo(0x154C_8086L);
        assertThat(driver.config(0x08, 4) >>> 8).isEqualTo(0x020000);
        assertThat(driver.config(0x0E, 1)).as("header type").isZero();
        assertThat(driver.config(0x2C, 4)).isEqualTo(0x0000_8086L);
        assertThat(driver.config(0x3D, 1)).as("interrupt pin").isZero();
    }

    @Test
    void sizesItsBars() throws VfioException {
        for (int offset = 0x10; offset <= 0x30; offset += 4) {
            driver.config(offset, 4, 0xFFFF_FFFFL);
        }
        assertThat(driver.config(0x10, 8)).isEqualTo(0xFFFF_FFFF_FFFF_000CL);
        assertThat(driver.config(0x18, 4)).isZero();
        assertThat(driver.config(0x1C, 8)).isEqualTo(0xFFFF_FFFF_FFFF_C00CL);
        assertThat(driver.config(0x24, 4)).isZero();
        assertThat(driver.config(0x30, 4)).isZero();
    }

    @Test
    void listsItsCapabilities() throws VfioException {
        byte[] space = driver.configBytes();
        assertThat(CapabilityWalker.conventional(space)).containsExactly(entry(0x70, 0x11), entry(0xA0, 0x10));
        assertThat(CapabilityWalker.extended(space)).containsExactly(entry(0x100, 0x0001), entry(0x150, 0x000E), entry(0x1A0, 0x0017),
            entry(0x1D0, 0x000D));
    }

    @Test
    void describesItsMsixTable() throws VfioException {
        assertThat(driver.config(0x72, 2)).isEqualTo(4);
        assertThat(driver.config(0x74, 4)).isEqualTo(0x0003);
        assertThat(driver.config(0x78, 4)).isEqualTo(0x2003);
        driver.config(0x72, 2, 0xFFFF);
        assertThat(driver.config(0x72, 2)).isEqualTo(0xC004);
    }

    @Test
    void canBeResetByFunction() throws VfioException {
        assertThat(driver.config(0xA4, 4) & 1 << 28).isNotZero();
    }

    @Test
    void resetsOnInitiateFlr() throws VfioException {
        driver.config(0x04, 2, 0x0006);
        driver.config(0x10, 4, 0xFEB0_0000L);
        driver.write(0x7C00, 0x1234_5000);
        driver.write(0x2004, 0x55);
        driver.config(0xA8, 2, 0x8000);
        assertThat(driver.config(0x04, 2)).isZero();
        assertThat(driver.config(0x10, 4)).isEqualTo(0xC);
        assertThat(driver.config(0xA8, 2)).isEqualTo(0x2810);
        assertThat(driver.read(0x7C00)).isZero();
        assertThat(driver.read(0x2004)).isZero();
        assertThat(driver.read(0x8800)).isEqualTo(2);
    }
}
