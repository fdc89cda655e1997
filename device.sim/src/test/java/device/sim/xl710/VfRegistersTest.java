// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import device.sim.TestDriver;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

class VfRegistersTest extends OneVf {
    @Test
    void refusesABarItDoesNotHave() {
        assertThatThrownBy(() -> driver.read(1, 0, 4)).isInstanceOf(VfioException.class).hasMessageContaining("bar=1");
    }

    @Test
    void reads0AndIgnoresWritesWhereNothingIs() throws VfioException {
        for (int offset : new int[] {0x3000, 0x3840, 0x4804, 0x9000, 0xCC34, 0xD040, 0xFFFC}) {
            driver.write(offset, -1);
            assertThat(driver.read(offset)).as("0x%x", offset).isZero();
        }
        driver.write(3, 0x100, 4, -1);
        assertThat(driver.read(3, 0x100, 4)).isZero();
    }

    @Test
    void isActiveAndSaysSoReadOnly() throws VfioException {
        driver.write(0x8800, 0);
        assertThat(driver.read(0x8800)).isEqualTo(2);
        assertThat(driver.read(0, 0x8800, 1)).isEqualTo(2);
        assertThat(driver.read(0, 0x8801, 2)).isZero();
    }

    @Test
    void keepsMailboxBases() throws VfioException {
        for (int offset : new int[] {0x6000, 0x6C00, 0x7800, 0x7C00}) {
            driver.write(offset, 0x89AB_CDE0 + offset);
            assertThat(driver.read(offset)).isEqualTo(0x89AB_CDE0 + offset);
        }
    }

    @Test
    void keepsOnlyTheBitsThatExist() throws VfioException {
        assertMask(0x6400, 0x3FF);
        assertMask(0x6800, 0xF000_03FF);
        assertMask(0x7000, 0x3FF);
        assertMask(0x7400, 0x3FF);
        assertMask(0x8000, 0xF000_03FF);
        assertMask(0x8400, 0x3FF);
        assertMask(0x5000, 0xC200_0000);
        assertMask(0x5400, 0xC);
        assertMask(0x4C08, 0xFFF);
        assertMask(0xC404, -1);
        assertMask(0xCC30, -1);
        assertMask(0xD03C, 0x0F0F_0F0F);
        assertMask(0xD41C, -1);
        assertMask(0xD800, 0);
        assertMask(0xDC00, 0);
    }

    @Test
    void keepsTailsInTheLentMemory() throws VfioException {
        driver.write(0x0004, 0x1FF);
        driver.write(0x203C, 0x7);
        assertThat(driver.mapped(0).get(ValueLayout.JAVA_INT, 0x0004)).isEqualTo(0x1FF);
        assertThat(driver.mapped(0).get(ValueLayout.JAVA_INT, 0x203C)).isEqualTo(7);
        driver.mapped(0).set(ValueLayout.JAVA_INT, 0x2000, 0x2A);
        assertThat(driver.read(0x2000)).isEqualTo(0x2A);
    }

    @Test
    void keepsTheTruthOfEverythingElseOutOfTheLentMemory() throws VfioException {
        for (long offset = 0x3000; offset < 0x10000; offset += 4) {
            driver.mapped(0).set(ValueLayout.JAVA_INT, offset, -1);
        }
        assertThat(driver.read(0x8800)).isEqualTo(2);
        assertThat(driver.read(0x4800)).isZero();
        driver.write(0x7C00, 0x1000);
        assertThat(driver.mapped(0).get(ValueLayout.JAVA_INT, 0x7C00)).isEqualTo(-1);
    }

    @Test
    void splitsAnAccessAcrossMemoryAndRegisters() throws VfioException {
        driver.write(0, 0x2FFE, 4, 0xAABB_CCDDL);
        assertThat(driver.read(0, 0x2FFC, 4)).isEqualTo(0xCCDD_0000L);
        assertThat(driver.read(0, 0x2FFE, 4)).isEqualTo(0xCCDDL);
        assertThat(driver.mapped(0).get(ValueLayout.JAVA_INT, 0x3000)).isZero();
    }

    @Test
    void readsAndWritesEveryWidthInTheLentMemory() throws VfioException {
        driver.write(0, 0x0011, 8, 0x1122_3344_5566_7788L);
        assertThat(driver.read(0, 0x0011, 8)).isEqualTo(0x1122_3344_5566_7788L);
        assertThat(driver.read(0, 0x0012, 4)).isEqualTo(0x4455_6677L);
        assertThat(driver.read(0, 0x0014, 2)).isEqualTo(0x4455L);
        assertThat(driver.read(0, 0x0018, 1)).isEqualTo(0x11L);
    }

    @Test
    void returnsEverythingToItsFirstValueOnReset() throws VfioException {
        for (int offset = 0; offset < 0x10000; offset += 4) {
            driver.write(offset, -1);
        }
        driver.function().reset();
        for (int offset = 0; offset < 0x10000; offset += 4) {
            assertThat(driver.read(offset)).as("0x%x", offset).isEqualTo(offset == 0x8800 ? 2 : 0);
        }
    }

    @Test
    void comesToTheNextDriverAsAResetLeftIt() throws VfioException {
        driver.write(0x7C00, 0x1000);
        driver.write(3, 0x0C, 4, 0);
        driver.close();
        driver = TestDriver.bind(function);
        assertThat(driver.read(0x7C00)).isZero();
        assertThat(driver.read(3, 0x0C, 4)).isEqualTo(1);
    }

    @Test
    void letsItsOwnSideSetWhatADriverCanNot() throws VfioException {
        function.poke(0, 0x8800, 1);
        assertThat(driver.read(0x8800)).isEqualTo(1);
        function.poke(0, 0x2000, 0x33);
        assertThat(driver.mapped(0).get(ValueLayout.JAVA_INT, 0x2000)).isEqualTo(0x33);
    }

    @Test
    void showsItsOwnSideWhatADriverMapped() throws VfioException {
        driver.mapped(0).set(ValueLayout.JAVA_INT, 0x0008, 0x77);
        assertThat(function.peek(0, 0x0008)).isEqualTo(0x77);
        assertThatThrownBy(() -> function.peek(0, 0x10000)).hasMessageContaining("offset=0x10000");
        assertThatThrownBy(() -> function.peek(0, 2)).hasMessageContaining("multiple of 4");
        driver.close();
        assertThatThrownBy(() -> function.peek(0, 0x0008)).hasMessageContaining("driver=none");
        assertThat(function.peek(0, 0x8800)).isEqualTo(2);
        driver = TestDriver.bind(function);
    }

    private void assertMask(int offset, int mask) throws VfioException {
        driver.write(offset, -1);
        assertThat(driver.read(offset)).as("0x%x", offset).isEqualTo(mask);
        driver.write(offset, 0);
        assertThat(driver.read(offset)).as("0x%x", offset).isZero();
    }
}
