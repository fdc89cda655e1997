// SPDX-License-Identifier: Apache-2.0
package device.sim.igd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import device.sim.TestDriver;
import device.sim.configspace.CapabilityWalker;
import device.sim.function.SimulatedFunction;
import device.sim.settings.Settings;
import device.sim.settings.SettingsException;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.InterruptKind;

class IgdTest {
    private static final int MASTER = 0x44200;
    private static final int IMR0 = 0x44304;
    private static final int IIR0 = 0x44308;
    private static final int IER0 = 0x4430C;

    private SimulatedFunction function;
    private TestDriver driver;

    @BeforeEach
    void bind() throws VfioException {
        function = Igd.function(new Settings(Map.of("aperture.mib", "128")));
        function.appear(() -> { });
        driver = TestDriver.bind(function);
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @ParameterizedTest
    @CsvSource({"address,2.0", "id,1234:5927", "aperture.mib,64", "aperture.mib,384", "aperture.mib,x"})
    void refusesAWrongValueByKeyAndValue(String key, String value) {
        assertThatThrownBy(() -> Igd.function(new Settings(Map.of(key, value)))).isInstanceOf(SettingsException.class)
            .hasMessageStartingWith(key + "=" + value + " expected=");
    }

    @Test
    void identifiesItself() throws VfioException {
        assertThat(function.address()).hasToString("0000:00:02.0");
        assertThat(driver.function().configSize()).isEqualTo(256);
        assertThat(driver.config(0x00, 4)).isEqualTo(0x5927_8086L);
        assertThat(driver.config(0x08, 4) >>> 8).isEqualTo(0x030000);
        assertThat(driver.config(0x3D, 1)).isEqualTo(1);
        assertThat(CapabilityWalker.conventional(driver.configBytes())).containsExactly(entry(0x40, 0x09), entry(0x70, 0x10),
            entry(0xAC, 0x05), entry(0xD0, 0x01));
    }

    @Test
    void sizesItsBars() throws VfioException {
        for (int offset = 0x10; offset < 0x28; offset += 4) {
            driver.config(offset, 4, -1);
        }
        assertThat(driver.config(0x10, 8)).isEqualTo(0xFFFF_FFFF_FF00_0004L);
        assertThat(driver.config(0x18, 8)).isEqualTo(0xFFFF_FFFF_F800_000CL);
        assertThat(driver.config(0x20, 4)).isEqualTo(0xFFFF_FFC1L);
        assertThat(driver.config(0x24, 4)).isZero();
    }

    @Test
    void keepsItsGraphicsFields() throws VfioException {
        driver.config(0x50, 2, 0);
        driver.config(0x5C, 4, -1);
        driver.config(0xFC, 4, 0x7A00_0000);
        assertThat(driver.config(0x50, 2)).isEqualTo(0x00C1);
        assertThat(driver.config(0x5C, 4)).isZero();
        assertThat(driver.config(0xFC, 4)).isEqualTo(0x7A00_0000);
    }

    @Test
    void keepsPlainRegistersTableAndApertureInTheLentMemory() throws VfioException {
        driver.write(0, 0x8000, 4, 0x11);
        driver.write(0, 0xFFFC, 4, 0x22);
        driver.write(0, 0x80_0000, 8, 0x33);
        driver.write(2, 0x7FF_FFF8, 8, 0x44);
        assertThat(driver.mapped(0).get(ValueLayout.JAVA_INT, 0x8000)).isEqualTo(0x11);
        assertThat(driver.mapped(0).get(ValueLayout.JAVA_INT, 0xFFFC)).isEqualTo(0x22);
        assertThat(driver.mapped(0).get(ValueLayout.JAVA_LONG, 0x80_0000)).isEqualTo(0x33);
        assertThat(driver.mapped(2).get(ValueLayout.JAVA_LONG, 0x7FF_FFF8)).isEqualTo(0x44);
    }

    @Test
    void keepsRegistersByTheirMasks() throws VfioException {
        assertMask(0x2030, 0x001F_FFF8);
        assertMask(0x2038, 0xFFFF_F000);
        assertMask(0x203C, 0x001F_F001);
        assertMask(0x1000F8, -1);
        assertMask(0x1000FC, -1);
        assertMask(0x100100, 0);
        assertMask(0x7FFC, 0);
        assertMask(0x10000, 0);
    }

    @Test
    void clearsItsRegistersOnResetAndLeavesGraphicsMemory() throws VfioException {
        driver.write(0x2030, 0x40);
        driver.write(0x8000, 0x11);
        driver.write(0x80_0000, 0x33);
        driver.write(2, 0, 4, 0x44);
        driver.config(0x78, 2, 0x8000);
        assertThat(driver.read(0x2030)).isZero();
        assertThat(driver.read(0x8000)).isZero();
        assertThat(driver.read(0x80_0000)).isEqualTo(0x33);
        assertThat(driver.read(2, 0, 4)).isEqualTo(0x44);
        assertThat(driver.read(IMR0)).isEqualTo(-1);
    }

    @Test
    void reachesRegistersAndTableThroughPorts() throws VfioException {
        driver.write(4, 0, 4, 0x2030);
        driver.write(4, 4, 4, 0x80);
        assertThat(driver.read(0x2030)).isEqualTo(0x80);
        driver.write(4, 0, 4, 0x10 | 1);
        driver.write(4, 4, 4, 0x99);
        assertThat(driver.read(0x80_0010)).isEqualTo(0x99);
        assertThat(driver.read(4, 4, 4)).isEqualTo(0x99);
        assertThat(driver.read(4, 8, 8)).isZero();
    }

    @Test
    void reachesNothingOutsideBar0ThroughPorts() throws VfioException {
        for (long index : new long[] {0x80_0000, 0x80_0001, 0xFFFF_FFFCL, 0xFFFF_FFFDL, 2, 3}) {
            driver.write(4, 0, 4, index);
            driver.write(4, 4, 4, 0x77);
            assertThat(driver.read(4, 4, 4)).as("0x%x", index).isZero();
        }
    }

    @Test
    void setsThePinUntilTheCauseIsCleared() throws VfioException {
        driver.take(false);
        assertThat(function.interrupt(0)).isFalse();
        assertThat(driver.pin()).isTrue();
        assertThat(driver.read(MASTER)).isEqualTo(1);
        assertThat(driver.read(IIR0)).isEqualTo(1);
        driver.write(IIR0, 1);
        assertThat(driver.pin()).isFalse();
        assertThat(driver.read(MASTER)).isZero();
    }

    @Test
    void sendsAMessageWhereSomebodyTakesIt() throws VfioException {
        assertThat(function.interrupt(0)).isTrue();
        assertThat(driver.raised()).containsExactly(0);
        assertThat(driver.pin()).isFalse();
        assertThat(function.interrupt(0)).as("again, though the first was not acknowledged").isTrue();
        assertThat(driver.raised()).containsExactly(0);
    }

    @Test
    void forgetsAMessageThatWasAcknowledgedBeforeSomebodyTookIt() throws VfioException {
        driver.take(false);
        function.interrupt(0);
        driver.write(IIR0, 1);
        driver.take(true);
        driver.function().vectorEnabled(InterruptKind.MSI, 0, true);
        assertThat(driver.raised()).isEmpty();
    }

    @Test
    void interruptsOnlyWhatIsUnmaskedAndEnabled() throws VfioException {
        function.poke(0, IIR0, 1);
        assertThat(driver.read(IIR0)).as("masked").isZero();
        driver.write(IMR0, ~1);
        function.poke(0, IIR0, 3);
        assertThat(driver.read(IIR0)).isEqualTo(1);
        assertThat(driver.raised()).isEmpty();
        driver.write(IER0, 1);
        assertThat(driver.raised()).isEmpty();
        driver.write(MASTER, 0x8000_0000);
        assertThat(driver.raised()).containsExactly(0);
        driver.write(0, IIR0 + 1, 1, 0xFF);
        assertThat(driver.read(IIR0)).as("bytes left out clear nothing").isEqualTo(1);
    }

    @Test
    void releasesThePinOnReset() throws VfioException {
        driver.take(false);
        function.interrupt(0);
        driver.function().reset();
        assertThat(driver.pin()).isFalse();
    }

    private void assertMask(int offset, int mask) throws VfioException {
        driver.write(offset, -1);
        assertThat(driver.read(offset)).as("0x%x", offset).isEqualTo(mask);
    }
}
