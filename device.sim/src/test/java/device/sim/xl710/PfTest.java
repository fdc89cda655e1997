// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import device.sim.Await;
import device.sim.TestDriver;
import device.sim.configspace.CapabilityWalker;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;

class PfTest {
    private static final int VFGEN_RSTAT1 = 0x74400;
    private static final int VPGEN_VFRTRIG = 0x91800;
    private static final int VPGEN_VFRSTAT = 0x91C00;
    private static final int GLGEN_VFLRSTAT = 0x92600;

    private final TestCard card = TestCard.standard();
    private TestDriver driver;

    @BeforeEach
    void bind() throws VfioException {
        driver = TestDriver.bind(card.physicalFunction(), "i40e");
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @Test
    void listsItsCapabilities() throws VfioException {
        byte[] space = driver.configBytes();
        assertThat(CapabilityWalker.conventional(space)).containsExactly(entry(0x40, 0x01), entry(0x50, 0x05), entry(0x70, 0x11),
            entry(0xA0, 0x10));
        assertThat(CapabilityWalker.extended(space)).containsExactly(entry(0x100, 0x01), entry(0x140, 0x03), entry(0x150, 0x0E),
            entry(0x160, 0x10), entry(0x1A0, 0x17), entry(0x1B0, 0x0D), entry(0x1D0, 0x19));
    }

    @Test
    void describesItsVirtualFunctions() throws VfioException {
        assertThat(driver.config(0x168, 2) & 1).as("VF enable").isEqualTo(1);
        assertThat(driver.config(0x16C, 4)).as("initial and total").isEqualTo(0x0040_0040);
        assertThat(driver.config(0x170, 2)).as("number").isEqualTo(4);
        assertThat(driver.config(0x174, 2)).as("offset").isEqualTo(16);
        assertThat(driver.config(0x176, 2)).as("stride").isEqualTo(1);
        assertThat(driver.config(0x17A, 2)).as("device").isEqualTo(0x154C);
        driver.config(0x184, 8, -1);
        driver.config(0x190, 8, -1);
        assertThat(driver.config(0x184, 8)).isEqualTo(0xFFFF_FFFF_FFFF_000CL);
        assertThat(driver.config(0x190, 8)).isEqualTo(0xFFFF_FFFF_FFFF_C00CL);
    }

    @Test
    void keepsTheNumberOfVirtualFunctions() throws VfioException {
        driver.config(0x170, 2, 1);
        driver.config(0x168, 2, 0);
        assertThat(driver.config(0x170, 2)).isEqualTo(4);
        assertThat(driver.config(0x168, 2) & 1).isEqualTo(1);
    }

    @Test
    void sizesItsBars() throws VfioException {
        driver.config(0x10, 8, -1);
        driver.config(0x1C, 8, -1);
        assertThat(driver.config(0x10, 8)).isEqualTo(0xFFFF_FFFF_FF80_000CL);
        assertThat(driver.config(0x1C, 8)).isEqualTo(0xFFFF_FFFF_FFFF_800CL);
        assertThat(driver.config(0x72, 2)).isEqualTo(128);
    }

    @Test
    void saysWhichFunctionItIs() throws VfioException {
        assertThat(driver.read(0x9C000)).isEqualTo(0x3B00);
        assertThat(driver.read(0x1C0500)).isEqualTo(0x8000_0300);
        assertThat(driver.read(0xB8188)).isZero();
        assertThat(driver.read(0x7FFFFC)).isZero();
    }

    @Test
    void ignoresVirtualFunctionsThatDoNotExist() throws VfioException {
        driver.write(VPGEN_VFRTRIG + 4 * 4, 1);
        driver.write(VFGEN_RSTAT1 + 4 * 127, 2);
        assertThat(driver.read(VPGEN_VFRTRIG + 4 * 4)).isZero();
        assertThat(driver.read(VPGEN_VFRSTAT + 4 * 4)).isZero();
        assertThat(driver.read(VFGEN_RSTAT1 + 4 * 127)).isZero();
    }

    @Test
    void resetsAVirtualFunctionAsItsDriverDoes() throws Exception {
        try (TestDriver virtual = TestDriver.bind(card.virtualFunction(2)); TestDriver other = TestDriver.bind(card.virtualFunction(1))) {
            virtual.write(0x8000, 0x8000_0020);
            virtual.write(0x2000, 5);
            virtual.config(0x04, 2, 6);
            other.write(0x8000, 0x8000_0020);

            driver.write(VPGEN_VFRTRIG + 8, 1);
            assertThat(virtual.read(0x8800)).as("in progress").isZero();
            assertThat(virtual.read(0x8000)).as("the driver's reset detector").isZero();
            assertThat(virtual.read(0x2000)).isZero();
            assertThat(virtual.config(0x04, 2)).as("config space stays").isEqualTo(6);
            Await.until("VPGEN_VFRSTAT", () -> driver.read(VPGEN_VFRSTAT + 8) == 1);
            assertThat(driver.read(VPGEN_VFRTRIG + 8)).isEqualTo(1);

            driver.write(VPGEN_VFRTRIG + 8, 0);
            assertThat(virtual.read(0x8800)).isZero();
            driver.write(VFGEN_RSTAT1 + 8, 2);
            assertThat(virtual.read(0x8800)).isEqualTo(2);
            assertThat(driver.read(VFGEN_RSTAT1 + 8)).isEqualTo(2);
            assertThat(other.read(0x8000)).isEqualTo(0x8000_0020);
        }
    }

    @Test
    void resetsOncePerTrigger() throws VfioException {
        try (TestDriver virtual = TestDriver.bind(card.virtualFunction(0))) {
            driver.write(VPGEN_VFRTRIG, 1);
            virtual.write(0x7C00, 0x1000);
            driver.write(VPGEN_VFRTRIG, 1);
            assertThat(virtual.read(0x7C00)).isEqualTo(0x1000);
        }
    }

    @Test
    void noticesFunctionLevelResets() throws VfioException {
        try (TestDriver first = TestDriver.bind(card.virtualFunction(0)); TestDriver third = TestDriver.bind(card.virtualFunction(2))) {
            assertThat(driver.read(GLGEN_VFLRSTAT)).isZero();
            first.function().reset();
            third.config(0xA8, 2, 0x8000);
            assertThat(driver.read(GLGEN_VFLRSTAT)).isEqualTo(0b101);
            driver.write(0, GLGEN_VFLRSTAT + 1, 1, 0xFF);
            assertThat(driver.read(GLGEN_VFLRSTAT)).as("bytes left out clear nothing").isEqualTo(0b101);
            driver.write(GLGEN_VFLRSTAT, 0b100);
            assertThat(driver.read(GLGEN_VFLRSTAT)).isEqualTo(0b001);
        }
    }

    @Test
    void leavesItsVirtualFunctionsAloneWhenItsDriverGoes() throws VfioException {
        try (TestDriver virtual = TestDriver.bind(card.virtualFunction(0))) {
            virtual.write(0x8000, 0x8000_0020);
            driver.close();
            assertThat(virtual.read(0x8000)).isEqualTo(0x8000_0020);
            assertThat(virtual.read(0x8800)).isEqualTo(2);
            driver = TestDriver.bind(card.physicalFunction(), "i40e");
        }
    }

    @Test
    void tellsItsVirtualFunctionsApart() {
        assertThat(card.functions()).extracting(function -> function.address().toString()).containsExactly("0000:3b:00.0",
            "0000:3b:02.0", "0000:3b:02.1", "0000:3b:02.2", "0000:3b:02.3");
        assertThat(card.virtualFunction(3).physicalFunction()).contains(PciAddress.parse("3b:00.0"));
        assertThat(card.physicalFunction().physicalFunction()).isEmpty();
        assertThat(Map.of("pf", card.physicalFunction().interruptVectors().msix(), "vf", card.virtualFunction(0).interruptVectors().msix()))
            .containsExactlyInAnyOrderEntriesOf(Map.of("pf", 129, "vf", 5));
    }
}
