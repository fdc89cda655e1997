// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static device.sim.xl710.MailboxDriver.ints;
import static device.sim.xl710.MailboxDriver.shorts;
import static org.assertj.core.api.Assertions.assertThat;

import device.sim.Await;
import device.sim.TestDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

class VfResetTest {
    private static final int CAPABILITIES = 0x0009_00E1;

    private final TestCard card = TestCard.standard();
    private final VfModel model = (VfModel) card.virtualFunction(1).model();
    private TestDriver driver;
    private MailboxDriver mailbox;

    @BeforeEach
    void bind() throws VfioException {
        driver = TestDriver.bind(card.virtualFunction(1));
        mailbox = new MailboxDriver(driver);
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @Test
    void isActiveWhenADriverComes() throws VfioException {
        assertThat(driver.read(MailboxDriver.RSTAT)).isEqualTo(2);
    }

    @Test
    void clearsEverythingByMessageAndIsActiveAgainAfterAWhile() throws Exception {
        use();
        int index = mailbox.send(2, new byte[0]);
        Await.until("the driver's reset detector", () -> driver.read(MailboxDriver.ARQLEN) == 0);
        assertThat(driver.ram().get(MailboxDriver.ATQ + 32 * index) & 7).as("its descriptor was handed back").isEqualTo(3);
        Await.until("active", () -> driver.read(MailboxDriver.RSTAT) == 2);
        assertCleared();
        assertThat(mailbox.start(CAPABILITIES).u32(8)).isEqualTo(CAPABILITIES);
        assertThat(mailbox.hasMessage()).isFalse();
    }

    @Test
    void isOutOfUseForAWhile() throws Exception {
        mailbox.start(CAPABILITIES);
        long before = System.nanoTime();
        mailbox.send(2, new byte[0]);
        Await.until("active", () -> driver.read(MailboxDriver.ARQLEN) == 0 && driver.read(MailboxDriver.RSTAT) == 2);
        assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(VfReset.DELAY_NANOS);
    }

    @Test
    void takesNoMessageWhileItIsOutOfUse() throws Exception {
        mailbox.start(CAPABILITIES);
        try (TestDriver physical = TestDriver.bind(card.physicalFunction(), "i40e")) {
            physical.write(0x91800 + 4, 1);
            Await.until("VPGEN_VFRSTAT", () -> physical.read(0x91C00 + 4) == 1);
            mailbox.init();
            mailbox.send(1, ints(1, 1));
            physical.write(0x91800 + 4, 0);
            assertThat(driver.read(MailboxDriver.RSTAT)).isZero();
            assertThat(driver.read(MailboxDriver.ATQH)).isZero();
            physical.write(0x74400 + 4, 2);
            assertThat(mailbox.receive().opcode()).isEqualTo(1);
        }
    }

    @Test
    void isResetByItsPhysicalFunction() throws Exception {
        use();
        try (TestDriver physical = TestDriver.bind(card.physicalFunction(), "i40e")) {
            physical.write(0x91800 + 4, 1);
            Await.until("VPGEN_VFRSTAT", () -> physical.read(0x91C00 + 4) == 1);
            assertThat(driver.read(MailboxDriver.RSTAT)).isZero();
            physical.write(0x91800 + 4, 0);
            physical.write(0x74400 + 4, 2);
        }
        assertCleared();
    }

    @Test
    void comesBackWhenThePhysicalFunctionsDriverGoesInTheMiddle() throws Exception {
        mailbox.start(CAPABILITIES);
        TestDriver physical = TestDriver.bind(card.physicalFunction(), "i40e");
        physical.write(0x91800 + 4, 1);
        physical.close();
        Await.until("active", () -> driver.read(MailboxDriver.RSTAT) == 2);
        mailbox.start(CAPABILITIES);
    }

    @Test
    void comesBackWhenItIsFreeAndThePhysicalFunctionsDriverGoes() throws Exception {
        driver.close();
        TestDriver physical = TestDriver.bind(card.physicalFunction(), "i40e");
        physical.write(0x91800 + 4, 1);
        assertThat(physical.read(0x91C00 + 4)).isEqualTo(1);
        physical.close();
        bind();
        Await.until("active", () -> driver.read(MailboxDriver.RSTAT) == 2);
    }

    @Test
    void isActiveWhenAFunctionLevelResetReturns() throws Exception {
        use();
        driver.function().reset();
        assertThat(driver.read(MailboxDriver.RSTAT)).isEqualTo(2);
        assertCleared();
        assertThat(mailbox.start(CAPABILITIES).u32(8)).isEqualTo(CAPABILITIES);
    }

    @Test
    void isResetByItsConfigSpace() throws Exception {
        use();
        driver.config(0xA8, 2, 0x8000);
        assertThat(driver.read(MailboxDriver.RSTAT)).isEqualTo(2);
        assertCleared();
    }

    @Test
    void isTheSameToTheNextDriver() throws Exception {
        use();
        driver.close();
        bind();
        assertCleared();
    }

    @Test
    void isResetForAnAddressThatTheHostGives() throws Exception {
        mailbox.start(CAPABILITIES);
        card.virtualFunction(1).model().network().orElseThrow().address(0x5254_0012_3456L);
        assertThat(mailbox.receive().payload()).as("reset impending").isEqualTo(ints(2, 0, 0, 255));
        Await.until("reset", () -> driver.read(MailboxDriver.ARQLEN) == 0);
        MailboxDriver.Received resources = mailbox.start(CAPABILITIES);
        assertThat(resources.payload()).endsWith(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);
        byte[] another = {1, 0, 1, 0, 0x52, 0x54, 0, 0, 0, 1, 0, 0};
        assertThat(mailbox.ask(10, another).status()).as("the driver may choose no other").isEqualTo(-5);
        another[9] = 0x56;
        another[8] = 0x34;
        another[7] = 0x12;
        assertThat(mailbox.ask(10, another).status()).isZero();
        assertThat(mailbox.ask(10, new byte[] {1, 0, 1, 0, 0x33, 0x33, 0, 0, 0, 1, 0, 0}).status()).isZero();
    }

    @Test
    void isNotResetByItsHostWhileNobodyUsesIt() throws Exception {
        card.virtualFunction(1).model().network().orElseThrow().vlan(5);
        mailbox.start(CAPABILITIES);
        assertThat(mailbox.ask(1, ints(1, 1)).status()).isZero();
    }

    @Test
    void isResetManyTimesInARow() throws Exception {
        for (int i = 0; i < 5; i++) {
            mailbox.start(CAPABILITIES);
            mailbox.send(2, new byte[0]);
            Await.until("reset", () -> driver.read(MailboxDriver.ARQLEN) == 0);
            driver.function().reset();
        }
        mailbox.start(CAPABILITIES);
    }

    /// Leaves a trace in everything that a reset clears.
    private void use() throws Exception {
        mailbox.start(CAPABILITIES);
        byte[] address = {1, 0, 1, 0, 0x33, 0x33, 0, 0, 0, 1, 0, 0};
        assertThat(mailbox.ask(10, address).status()).isZero();
        assertThat(mailbox.ask(12, shorts(1, 1, 5)).status()).isEqualTo(0);
        driver.write(0x2000, 7);
        driver.write(0x3800, 0x0100_001C);
        driver.write(0x5000, 0x4000_0000);
        driver.write(0xC400, 1);
    }

    private void assertCleared() throws VfioException {
        for (int offset = 0; offset < 0x10000; offset += 4) {
            assertThat(driver.read(offset)).as("0x%x", offset).isEqualTo(offset == MailboxDriver.RSTAT ? 2 : 0);
        }
        assertThat(model.port().addresses()).isEmpty();
        assertThat(model.port().vlans().isEmpty()).isTrue();
        assertThat(model.session().state().resourcesGiven()).isFalse();
    }
}
