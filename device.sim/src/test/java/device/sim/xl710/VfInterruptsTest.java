// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static org.assertj.core.api.Assertions.assertThat;

import device.sim.Await;
import device.sim.TestDriver;
import device.sim.function.SimulatedFunction;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.function.InterruptKind;

/// Values are those that the Linux and DPDK drivers write.
class VfInterruptsTest {
    private static final int DYN_CTL01 = 0x5C00;
    private static final int ICR01 = 0x4800;
    private static final int ICR0_ENA1 = 0x5000;
    private static final int DYN_CTLN1_0 = 0x3800;
    private static final int ENABLE = 0x19;
    private static final int LINUX_SOFTWARE_INTERRUPT = 0x0100_001D;
    private static final int PBA = 0x2000;

    private SimulatedFunction function;
    private TestDriver driver;

    @BeforeEach
    void bind() throws VfioException {
        function = TestCard.standard().virtualFunction(0);
        driver = TestDriver.bind(function);
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @Test
    void sendsNothingForAControlWithoutAVector() throws VfioException {
        driver.write(DYN_CTLN1_0 + 4 * 15, LINUX_SOFTWARE_INTERRUPT);
        assertThat(driver.raised()).isEmpty();
        assertThat(driver.read(DYN_CTLN1_0 + 4 * 15) & 1).isEqualTo(1);
    }

    @Test
    void sendsNothingWhileDisabled() throws VfioException {
        driver.write(DYN_CTLN1_0, 0x0100_001C);
        assertThat(driver.raised()).isEmpty();
    }

    @Test
    void sendsASoftwareInterruptAndDisables() throws VfioException {
        driver.write(DYN_CTLN1_0 + 4, LINUX_SOFTWARE_INTERRUPT);
        assertThat(driver.raised()).containsExactly(2);
        assertThat(driver.read(DYN_CTLN1_0 + 4)).as("INTENA and SWINT_TRIG clear").isEqualTo(0x0100_0018);
    }

    @Test
    void offersTheEnablingOfAQueuesVectorAsADoorbell() {
        assertThat(function.doorbells()).containsExactly(doorbell(0x3800), doorbell(0x3804), doorbell(0x3808), doorbell(0x380C));
    }

    private static Doorbell doorbell(long offset) {
        return new Doorbell(0, offset, 4, OptionalLong.of(ENABLE));
    }

    @Test
    void keepsAnEventPendingUntilEnabled() throws VfioException {
        driver.write(DYN_CTLN1_0, 0x0100_001C);
        driver.write(DYN_CTLN1_0, ENABLE);
        assertThat(driver.raised()).containsExactly(1);
        driver.write(DYN_CTLN1_0, ENABLE);
        assertThat(driver.raised()).as("sent once").isEmpty();
    }

    @Test
    void forgetsAPendingEventOnClearPba() throws VfioException {
        driver.write(DYN_CTLN1_0, 0x0100_001C);
        driver.write(DYN_CTLN1_0, ENABLE | 2);
        assertThat(driver.raised()).isEmpty();
    }

    @Test
    void leavesTheEnableAloneWhenTold() throws VfioException {
        driver.write(DYN_CTLN1_0, ENABLE);
        driver.write(DYN_CTLN1_0, 0x8000_0018);
        assertThat(driver.read(DYN_CTLN1_0) & 1).isEqualTo(1);
        driver.write(DYN_CTLN1_0, 0x8000_001C);
        assertThat(driver.raised()).containsExactly(1);
    }

    @Test
    void setsPendingBitsWhereNobodyTakesTheMessage() throws VfioException {
        driver.take(false);
        driver.write(DYN_CTLN1_0 + 8, LINUX_SOFTWARE_INTERRUPT);
        assertThat(driver.read(3, PBA, 4)).isEqualTo(0b1000);
        driver.take(true);
        driver.function().vectorEnabled(InterruptKind.MSIX, 3, true);
        assertThat(driver.raised()).containsExactly(3);
        assertThat(driver.read(3, PBA, 8)).isZero();
        driver.function().vectorEnabled(InterruptKind.MSIX, 3, true);
        driver.function().vectorEnabled(InterruptKind.MSI, 3, true);
        driver.function().vectorEnabled(InterruptKind.MSIX, 99, true);
        assertThat(driver.raised()).isEmpty();
    }

    @Test
    void clearsCausesByReading() throws VfioException {
        driver.write(DYN_CTL01, 0x4);
        assertThat(function.peek(0, ICR01)).isEqualTo(0x8000_0000);
        assertThat(driver.read(ICR01)).isEqualTo(0x8000_0000);
        assertThat(driver.read(ICR01)).isZero();
    }

    @Test
    void ignoresWritesOfCauses() throws VfioException {
        driver.write(ICR01, -1);
        assertThat(driver.read(ICR01)).isZero();
    }

    @Test
    void sendsVector0ForAnEnabledCauseInLinuxOrder() throws VfioException {
        driver.write(DYN_CTL01, ENABLE);
        driver.write(ICR0_ENA1, 0x4000_0000);
        assertThat(driver.raised()).isEmpty();
        function.poke(0, ICR01, 0x4000_0000);
        driver.write(DYN_CTL01, ENABLE);
        assertThat(driver.raised()).containsExactly(0);
    }

    @Test
    void sendsVector0ForAnEnabledCauseInDpdkOrder() throws VfioException {
        function.poke(0, ICR01, 0x4000_0000);
        driver.write(ICR0_ENA1, 0x4000_0000);
        assertThat(driver.raised()).isEmpty();
        driver.write(DYN_CTL01, 0x1B);
        assertThat(driver.raised()).as("CLEARPBA does not lose a mailbox message").containsExactly(0);
    }

    @Test
    void sendsNothingForACauseThatIsNotEnabled() throws VfioException {
        function.poke(0, ICR01, 0x4000_0000);
        driver.write(ICR0_ENA1, 0x0200_0000);
        driver.write(DYN_CTL01, ENABLE);
        assertThat(driver.raised()).isEmpty();
    }

    @Test
    void sendsASoftwareInterruptOfVector0WithoutAnEnabledCause() throws VfioException {
        driver.write(DYN_CTL01, LINUX_SOFTWARE_INTERRUPT);
        assertThat(driver.raised()).containsExactly(0);
        driver.write(DYN_CTL01, ENABLE);
        assertThat(driver.raised()).isEmpty();
    }

    @Test
    void updatesTheIntervalNamed() throws VfioException {
        driver.write(DYN_CTLN1_0 + 4, 1 << 3 | 0x123 << 5);
        assertThat(driver.read(0x2800 + 64 + 4)).isEqualTo(0x123);
        driver.write(DYN_CTL01, 2 << 3 | 0x456 << 5);
        assertThat(driver.read(0x4C08)).isEqualTo(0x456);
        driver.write(DYN_CTL01, 3 << 3 | 0x789 << 5);
        assertThat(driver.read(0x4C08)).isEqualTo(0x456);
    }

    @Test
    void sendsAtMostOnceInAnInterval() throws Exception {
        int messages = 20;
        int interval = 500;
        driver.write(DYN_CTLN1_0 + 4, interval << 5);
        long start = System.nanoTime();
        for (int i = 0; i < messages; i++) {
            driver.write(DYN_CTLN1_0 + 4, LINUX_SOFTWARE_INTERRUPT);
            Await.until("a message", () -> driver.raised().equals(List.of(2)));
        }
        assertThat(System.nanoTime() - start).as("2 microseconds each").isGreaterThanOrEqualTo((messages - 1L) * interval * 2_000);
    }

    @Test
    void waitsNoLongerForAnIntervalAfterAReset() throws VfioException {
        driver.write(DYN_CTLN1_0 + 4, 0xFFF << 5);
        driver.write(DYN_CTLN1_0 + 4, LINUX_SOFTWARE_INTERRUPT);
        assertThat(driver.raised()).contains(2);
        driver.function().reset();
        driver.write(DYN_CTLN1_0 + 4, 0xFFF << 5);
        driver.write(DYN_CTLN1_0 + 4, LINUX_SOFTWARE_INTERRUPT);
        assertThat(driver.raised()).containsExactly(2);
    }

    @Test
    void forgetsEverythingOnReset() throws VfioException {
        driver.write(DYN_CTLN1_0, 0x0100_001C);
        driver.take(false);
        function.interrupt(4);
        driver.take(true);
        driver.function().reset();
        driver.function().vectorEnabled(InterruptKind.MSIX, 4, true);
        driver.write(DYN_CTLN1_0, ENABLE);
        assertThat(driver.raised()).isEmpty();
    }

    @Test
    void raisesByHandWhateverTheEnablesSay() throws VfioException {
        assertThat(function.interrupt(4)).isTrue();
        assertThat(driver.raised()).containsExactly(4);
    }
}
