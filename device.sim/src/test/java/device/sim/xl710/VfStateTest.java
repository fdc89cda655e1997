// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static device.sim.xl710.MailboxDriver.ints;
import static device.sim.xl710.MailboxDriver.shorts;
import static org.assertj.core.api.Assertions.assertThat;

import device.sim.Await;
import device.sim.TestDriver;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.InterruptKind;

/// Function 0 is the source and function 1, of another card, the destination. The guest's memory is copied between the two by hand.
class VfStateTest {
    private static final int CAPABILITIES = 0x0009_00E1;
    private static final int EBUSY = 12;
    private static final int EINVAL = 14;

    private final TestCard here = TestCard.standard();
    private final TestCard there = TestCard.standard();
    private TestDriver physicalHere;
    private TestDriver physicalThere;
    private TestDriver source;
    private TestDriver destination;
    private AdminQueueDriver adminHere;
    private AdminQueueDriver adminThere;
    private MailboxDriver mailbox;

    @BeforeEach
    void bind() throws VfioException {
        physicalHere = TestDriver.bind(here.physicalFunction(), "i40e");
        physicalThere = TestDriver.bind(there.physicalFunction(), "i40e");
        source = TestDriver.bind(here.virtualFunction(0));
        destination = TestDriver.bind(there.virtualFunction(1));
        adminHere = new AdminQueueDriver(physicalHere);
        adminThere = new AdminQueueDriver(physicalThere);
        mailbox = new MailboxDriver(source);
    }

    @AfterEach
    void close() {
        source.close();
        destination.close();
        physicalHere.close();
        physicalThere.close();
    }

    @Test
    void carriesAllOfAFunction() throws Exception {
        use();
        migrate();
        for (int offset = 0; offset < 0x10000; offset += 4) {
            assertThat(destination.read(offset)).as("0x%x", offset).isEqualTo(here.virtualFunction(0).peek(0, offset));
        }
        assertThat(destination.config(0x04, 2)).isEqualTo(6);
        assertThat(destination.config(0x72, 2)).isEqualTo(0x8004);
        assertThat(destination.read(3, 0x1C, 4)).as("MSI-X vector 1, not masked").isZero();
        VfModel from = (VfModel) here.virtualFunction(0).model();
        VfModel to = (VfModel) there.virtualFunction(1).model();
        assertThat(to.port().defaultAddress()).isEqualTo(from.port().defaultAddress());
        assertThat(to.port().addresses()).isEqualTo(from.port().addresses()).isNotEmpty();
        assertThat(to.port().vlans()).isEqualTo(from.port().vlans());
        assertThat(to.port().strip()).isTrue();
        assertThat(to.session().state()).isEqualTo(from.session().state());
        assertThat(to.queues().save()).isEqualTo(from.queues().save());
    }

    @Test
    void goesOnWithTheMailboxWhereItWas() throws Exception {
        use();
        migrate();
        mailbox = mailbox.on(destination);
        assertThat(mailbox.ask(12, shorts(1, 1, 9, 0)).status()).isZero();
        assertThat(mailbox.ask(1, ints(1, 1)).status()).isZero();
    }

    @Test
    void deliversOnTheOtherSideWhatWasNotReadOnThisOne() throws Exception {
        use();
        source.write(MailboxDriver.ARQT, source.read(MailboxDriver.ARQH));
        mailbox.send(1, ints(1, 1));
        Await.until("answered", () -> source.read(MailboxDriver.ATQH) == source.read(MailboxDriver.ATQT));
        migrate();
        mailbox = mailbox.on(destination);
        assertThat(mailbox.hasMessage()).isFalse();
        destination.write(MailboxDriver.ARQT, (destination.read(MailboxDriver.ARQH) + 31) % 32);
        assertThat(mailbox.receive().opcode()).isEqualTo(1);
    }

    @Test
    void keepsAnEventThatWasNotSent() throws Exception {
        use();
        source.write(0x3804, 0x0100_001C);
        migrate();
        assertThat(destination.raised()).isEmpty();
        destination.write(0x3804, 0x19);
        assertThat(destination.raised()).containsExactly(2);
    }

    @Test
    void sendsAMessageThatNobodyTookWhenItGoesOn() throws Exception {
        use();
        source.take(false);
        source.write(0x3804, 0x0100_001D);
        assertThat(source.read(3, 0x2000, 4)).isEqualTo(0b100);
        adminHere.stop(0);
        byte[] state = adminHere.read(0);
        adminThere.stop(1);
        assertThat(adminThere.write(1, state)).isZero();
        assertThat(destination.raised()).as("loading sends nothing").isEmpty();
        assertThat(destination.read(3, 0x2000, 4)).isEqualTo(0b100);
        adminThere.restart(1);
        assertThat(destination.raised()).containsExactly(2);
    }

    @Test
    void stopsAFunctionWhoseRegistersGoOn() throws Exception {
        use();
        int length = adminHere.stop(0);
        assertThat(length).isGreaterThan(4096);
        mailbox.send(1, ints(1, 1));
        assertThat(source.read(MailboxDriver.RSTAT)).isEqualTo(2);
        assertThat(adminHere.read(0)).hasSize(length);
        assertThat(mailbox.hasMessage()).isFalse();
        assertThat(adminHere.restart(0)).isZero();
        assertThat(mailbox.receive().opcode()).isEqualTo(1);
    }

    @Test
    void carriesAResetThatIsUnderWay() throws Exception {
        use();
        mailbox.send(2, new byte[0]);
        Await.until("reset", () -> source.read(MailboxDriver.ARQLEN) == 0);
        migrate();
        Await.until("active", () -> destination.read(MailboxDriver.RSTAT) == 2);
        assertThat(mailbox.on(destination).start(CAPABILITIES).u32(8)).isEqualTo(CAPABILITIES);
    }

    @Test
    void isResetWhileItStandsStill() throws Exception {
        use();
        adminHere.stop(0);
        physicalHere.write(0x91800, 1);
        Await.until("VPGEN_VFRSTAT", () -> physicalHere.read(0x91C00) == 1);
        physicalHere.write(0x91800, 0);
        physicalHere.write(0x74400, 2);
        mailbox.init();
        mailbox.send(1, ints(1, 1));
        source.function().reset();
        assertThat(source.read(MailboxDriver.RSTAT)).isEqualTo(2);
        adminHere.restart(0);
        assertThat(mailbox.start(CAPABILITIES).u32(8)).isEqualTo(CAPABILITIES);
    }

    @Test
    void tellsTheDriverOfALinkThatIsNotWhatItWas() throws Exception {
        use();
        there.virtualFunction(1).model().network().orElseThrow().link(false);
        migrate();
        assertThat(mailbox.on(destination).receive().payload()).isEqualTo(ints(1, 40000, 0, 0));
    }

    @Test
    void countsOn() throws Exception {
        long[] counted = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        use();
        ((VfModel) here.virtualFunction(0).model()).session().counters(counted);
        migrate();
        assertThat(mailbox.on(destination).ask(15, ints(1, 0, 0)).payload()[8 * 11]).isEqualTo((byte) 12);
    }

    @Test
    void refusesWhileTheFunctionRuns() throws Exception {
        assertThat(adminHere.state(2, 0, 0, new byte[0], 64).code()).isEqualTo(EBUSY);
        assertThat(adminHere.state(3, 0, 0, new byte[64], 0).code()).isEqualTo(EBUSY);
        assertThat(adminHere.state(4, 0, 0, new byte[0], 0).code()).isEqualTo(EBUSY);
        assertThat(adminHere.restart(0)).as("it does").isZero();
    }

    @Test
    void refusesWhatDoesNotExist() throws Exception {
        assertThat(adminHere.state(1, 4, 0, new byte[0], 0).code()).isEqualTo(2);
        adminHere.stop(0);
        assertThat(adminHere.state(9, 0, 0, new byte[0], 0).code()).isEqualTo(EINVAL);
        assertThat(adminHere.state(3, 0, 8, new byte[8], 0).code()).as("not the next part").isEqualTo(18);
        AdminQueueDriver.Answer behind = adminHere.state(2, 0, 0x7FFF_FFFF, new byte[0], 64);
        assertThat(behind.code()).isZero();
        assertThat(adminHere.command(0x0701, 0, 0, new byte[0], 0).code()).isEqualTo(17);
    }

    @Test
    void boundsWhatIsWritten() throws Exception {
        adminHere.stop(0);
        int offset = 0;
        int code = 0;
        while (code == 0 && offset < 0x10_0000) {
            code = adminHere.state(3, 0, offset, new byte[4096], 0).code();
            offset += 4096;
        }
        assertThat(code).isEqualTo(18);
        assertThat(offset).isEqualTo(StateWriter.MOST + 4096);
    }

    @Test
    void refusesAStateThatIsCutOrChangedAndStaysAsItWas() throws Exception {
        use();
        adminHere.stop(0);
        byte[] state = adminHere.read(0);
        adminThere.stop(1);
        byte[] before = adminThere.read(1);
        assertThat(adminThere.write(1, Arrays.copyOf(state, state.length - 1))).isEqualTo(EINVAL);
        assertThat(adminThere.write(1, Arrays.copyOf(state, state.length + 1))).isEqualTo(EINVAL);
        assertThat(adminThere.state(4, 1, 0, new byte[0], 0).code()).isEqualTo(EINVAL);
        Random random = new Random(4);
        for (int i = 0; i < 50; i++) {
            byte[] changed = state.clone();
            changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
            assertThat(adminThere.write(1, changed)).isEqualTo(EINVAL);
        }
        adminThere.restart(1);
        adminThere.stop(1);
        assertThat(adminThere.read(1)).isEqualTo(before);
        assertThat(adminThere.write(1, state)).isZero();
    }

    @Test
    void goesOnWhenThePhysicalFunctionsDriverGoes() throws Exception {
        use();
        adminHere.stop(0);
        physicalHere.close();
        assertThat(mailbox.ask(1, ints(1, 1)).status()).isZero();
        physicalHere = TestDriver.bind(here.physicalFunction(), "i40e");
    }

    @Test
    void isNotKeptStandingForItsNextDriver() throws Exception {
        adminHere.stop(0);
        source.close();
        source = TestDriver.bind(here.virtualFunction(0));
        assertThat(new MailboxDriver(source).start(CAPABILITIES).status()).isZero();
        assertThat(adminHere.state(2, 0, 0, new byte[0], 64).code()).isEqualTo(EBUSY);
    }

    @Test
    void hasItsOwnAddressAgainForItsNextDriver() throws Exception {
        use();
        migrate();
        destination.close();
        destination = TestDriver.bind(there.virtualFunction(1));
        assertThat(((VfModel) there.virtualFunction(1).model()).port().defaultAddress()).isEqualTo(0x0200_003B_0001L);
    }

    @Test
    void saysWhichFirmwareItIs() throws Exception {
        AdminQueueDriver.Answer answer = adminHere.command(0x0001, 0, 0, new byte[0], 0);
        assertThat(answer.low()).as("version of the interface").isEqualTo(1 | 15 << 16);
    }

    @Test
    void showsWhatItsVirtualFunctionsHave() throws Exception {
        use();
        assertThat(physicalHere.read(0x81C00)).as("VF_ARQLEN").isEqualTo(0x8000_0020);
        assertThat(physicalHere.read(0x80800)).as("VF_ATQBAL").isEqualTo(MailboxDriver.ATQ);
        assertThat(physicalHere.read(0x82000)).as("VF_ATQH").isEqualTo(source.read(MailboxDriver.ATQH));
        assertThat(physicalHere.read(0x2C000)).as("VFINT_ICR0_ENA").isEqualTo(0x4000_0000);
        assertThat(physicalHere.read(0x2BC00)).as("VFINT_ICR0").isEqualTo(0x4000_0000);
        assertThat(source.read(0x4800)).as("not cleared by that").isEqualTo(0x4000_0000);
        physicalHere.write(0x81C00, 0);
        assertThat(source.read(MailboxDriver.ARQLEN)).isEqualTo(0x8000_0020);
        assertThat(physicalHere.read(0x81C00 + 4 * 4)).as("of a function that does not exist").isZero();
    }

    /// Leaves a trace in everything.
    private void use() throws Exception {
        source.config(0x04, 2, 6);
        source.config(0x72, 2, 0x8004);
        source.write(3, 0x10, 8, 0xFEE0_0000L);
        source.write(3, 0x18, 8, 0x41);
        mailbox.start(CAPABILITIES);
        assertThat(mailbox.ask(10, new byte[] {1, 0, 1, 0, 0x33, 0x33, 0, 0, 0, 1, 0, 0}).status()).isZero();
        assertThat(mailbox.ask(12, shorts(1, 1, 5, 0)).status()).isZero();
        assertThat(mailbox.ask(7, Arrays.copyOf(shorts(1, 1, 2, 1, 1, 0, 1), 26)).status()).isZero();
        assertThat(mailbox.ask(6, VirtchnlTest.config(0)).status()).isZero();
        source.write(0x2000, 5);
        mailbox.send(8, ints(1, 1, 0));
        mailbox.receive();
        mailbox.receive();
        assertThat(mailbox.ask(26, ints(-1, -1)).status()).isZero();
        source.write(0x5000, 0x4000_0000);
        source.write(0x2804, 0x55);
        source.function().vectorEnabled(InterruptKind.MSIX, 1, true);
    }

    private void migrate() throws Exception {
        adminHere.stop(0);
        byte[] state = adminHere.read(0);
        destination.ram().memory().copyFrom(source.ram().memory());
        adminThere.stop(1);
        assertThat(adminThere.write(1, state)).isZero();
        assertThat(adminThere.restart(1)).isZero();
    }
}
