// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static device.sim.xl710.MailboxDriver.ints;
import static device.sim.xl710.MailboxDriver.shorts;
import static org.assertj.core.api.Assertions.assertThat;

import device.sim.Await;
import device.sim.TestDriver;
import device.sim.wire.Port;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

/// Lengths are those that Linux sends: lists have an element too many.
class VirtchnlTest {
    private static final int BAD = -5;
    private static final int LINUX_6_17 = 0xBE3D_8CF9;
    private static final int VSI = 1;
    private static final long OWN_ADDRESS = 0x0200_003B_0000L;

    private final TestCard card = TestCard.standard();
    private final VfModel model = (VfModel) card.virtualFunction(0).model();
    private final Port port = model.port();
    private TestDriver driver;
    private MailboxDriver mailbox;

    @BeforeEach
    void bind() throws VfioException {
        driver = TestDriver.bind(card.virtualFunction(0));
        mailbox = new MailboxDriver(driver);
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @Test
    void grantsWhatWasAskedForAndIsOffered() throws Exception {
        MailboxDriver.Received resources = mailbox.start(LINUX_6_17);
        assertThat(HexFormat.of().formatHex(resources.payload())).isEqualTo(
            "0100" + "0400" + "0500" + "0000" + "e1000900" + "34000000" + "40000000" + "0100" + "0400" + "06000000" + "0000"
            + "0200003b0000");
        assertThat(mailbox.ask(3, ints(0x80)).u32(8)).as("asked again").isEqualTo(0x81);
    }

    @Test
    void agreesOnTheVersionOfAnOldDriver() throws Exception {
        mailbox.init();
        assertThat(mailbox.ask(1, ints(1, 0)).payload()).isEqualTo(ints(1, 0));
        assertThat(mailbox.ask(3, new byte[0]).u32(8)).isEqualTo(0x0001_0001);
    }

    @Test
    void answersANewerDriverWithItsOwnVersion() throws Exception {
        mailbox.init();
        assertThat(mailbox.ask(1, ints(1, 9)).payload()).isEqualTo(ints(1, 1));
        assertThat(mailbox.ask(1, ints(2, 0)).payload()).isEqualTo(ints(1, 1));
        assertThat(mailbox.ask(1, ints(1, -1)).payload()).isEqualTo(ints(1, 1));
    }

    @Test
    void refusesUnknownOpcodes() throws Exception {
        mailbox.start(LINUX_6_17);
        for (int opcode : new int[] {4, 5, 16, 17, 18, 20, 30, 44, 51, 60, 113, 0x7FFF_FFFF, -7}) {
            MailboxDriver.Received answer = mailbox.ask(opcode, new byte[16]);
            assertThat(answer.status()).as("%d", opcode).isEqualTo(-64);
            assertThat(answer.payload()).isEmpty();
        }
        mailbox.send(0, new byte[0]);
        assertThat(mailbox.receive()).as("a driver stops at opcode 0").extracting(MailboxDriver.Received::opcode).isEqualTo(-1);
    }

    @Test
    void refusesMessagesThatAreTooShort() throws Exception {
        mailbox.start(LINUX_6_17);
        int[] needed = {1, 8, 6, 8, 7, 2, 8, 12, 9, 12, 10, 4, 11, 4, 12, 4, 13, 4, 14, 4, 23, 4, 24, 4, 26, 8, 29, 2};
        for (int i = 0; i < needed.length; i += 2) {
            MailboxDriver.Received answer = mailbox.ask(needed[i], new byte[needed[i + 1] - 1]);
            assertThat(answer.status()).as("opcode %d", needed[i]).isEqualTo(BAD);
            assertThat(answer.payload()).isEmpty();
        }
    }

    @Test
    void refusesListsThatAreNotAllThere() throws Exception {
        mailbox.start(LINUX_6_17);
        assertStatus(10, BAD, shorts(VSI, 1, 0, 0, 0));
        assertStatus(10, BAD, shorts(VSI, 0));
        assertStatus(10, BAD, shorts(VSI, 0xFFFF, 0, 0, 0, 0));
        assertStatus(12, BAD, shorts(VSI, 2, 5));
        assertStatus(7, BAD, shorts(1, VSI, 1, 1, 1, 0));
        assertStatus(6, BAD, Arrays.copyOf(shorts(VSI, 1), 71));
        assertStatus(23, BAD, Arrays.copyOf(shorts(VSI, 52), 55));
    }

    @Test
    void refusesAnotherVsi() throws Exception {
        mailbox.start(LINUX_6_17);
        assertStatus(10, BAD, shorts(VSI + 1, 1, 0x0002, 0, 0, 0));
        assertStatus(12, BAD, shorts(VSI + 1, 1, 5));
        assertStatus(14, BAD, shorts(VSI + 1, 3));
        assertStatus(8, BAD, queues(VSI + 1, 1, 1));
    }

    @Test
    void setsUpMapsStartsAndStopsQueues() throws Exception {
        mailbox.start(LINUX_6_17);
        assertStatus(7, 0, irqMap(1, 1, 1));
        assertStatus(8, BAD, queues(VSI, 1, 1));
        assertStatus(6, 0, config(0));
        mailbox.send(8, queues(VSI, 1, 1));
        assertThat(mailbox.receive()).extracting(MailboxDriver.Received::opcode, MailboxDriver.Received::status).containsExactly(8, 0);
        MailboxDriver.Received event = mailbox.receive();
        assertThat(event.opcode()).isEqualTo(17);
        assertThat(event.payload()).as("link up at 40000 Mbit/s").isEqualTo(ints(1, 40000, 1, 0));
        assertStatus(6, 0, config(0));
        assertStatus(9, 0, queues(VSI, 1, 1));
        assertStatus(9, BAD, queues(VSI, 0, 0));
        assertStatus(9, BAD, queues(VSI, 0x10, 0));
        assertStatus(8, BAD, queues(VSI, 0x8000_0000, 0));
    }

    @Test
    void tellsTheSpeedAsABitToADriverThatDidNotAskOtherwise() throws Exception {
        mailbox.start(1);
        assertStatus(6, 0, config(3));
        mailbox.send(8, queues(VSI, 8, 0));
        mailbox.receive();
        assertThat(mailbox.receive().payload()).isEqualTo(ints(1, 0x10, 1, 0));
    }

    @Test
    void refusesQueuesThatHardwareWouldNotTake() throws Exception {
        mailbox.start(LINUX_6_17);
        int[][] wrong = {{8, 4, VSI + 1}, {8 + 2, 4, 4}, {8 + 4, 2, 7}, {8 + 8, 8, 0x1001}, {8 + 24, 2, 9}, {8 + 26, 2, 1}, {8 + 28, 4, 33},
            {8 + 28, 4, 0x7FFF_FFE0}, {8 + 36, 4, 16384}, {8 + 40, 4, 63}, {8 + 40, 4, -1}, {8 + 48, 8, 64}};
        for (int[] field : wrong) {
            ByteBuffer message = ByteBuffer.wrap(config(0)).order(ByteOrder.LITTLE_ENDIAN);
            switch (field[1]) {
                case 2 -> message.putShort(field[0], (short) field[2]);
                case 4 -> message.putInt(field[0], field[2]);
                default -> message.putLong(field[0], field[2]);
            }
            assertThat(mailbox.ask(6, message.array()).status()).as(Arrays.toString(field)).isEqualTo(BAD);
        }
        assertStatus(6, BAD, config(4));
        assertStatus(6, BAD, config(1, 1));
        assertStatus(8, BAD, queues(VSI, 1, 1));
    }

    @Test
    void refusesMapsOfVectorsAndQueuesItDoesNotHave() throws Exception {
        mailbox.start(LINUX_6_17);
        assertStatus(7, BAD, irqMap(5, 1, 1));
        assertStatus(7, BAD, irqMap(1, 0x10, 1));
        assertStatus(7, BAD, irqMap(1, 1, 0x8000));
        assertStatus(7, BAD, Arrays.copyOf(shorts(6), 14 + 6 * 12));
    }

    @Test
    void takesFramesForAddresses() throws Exception {
        mailbox.start(LINUX_6_17);
        assertStatus(10, 0, addresses(OWN_ADDRESS, 0x3333_0000_0001L, 0xFFFF_FFFF_FFFFL));
        assertThat(port.addresses()).containsExactly(0x3333_0000_0001L);
        assertStatus(10, BAD, addresses(0x0200_0000_0001L, 0));
        assertThat(port.addresses()).as("nothing of a message that is wrong").containsExactly(0x3333_0000_0001L);
        assertStatus(11, 0, addresses(0x3333_0000_0001L, 0x3333_0000_0002L, OWN_ADDRESS));
        assertThat(port.addresses()).isEmpty();
        assertThat(port.defaultAddress()).isEqualTo(OWN_ADDRESS);
    }

    @Test
    void boundsItsListsOfAddresses() throws Exception {
        mailbox.start(LINUX_6_17);
        for (int i = 0; i < 17; i++) {
            assertStatus(10, 0, addresses(0x0100_5E00_0000L + i));
        }
        assertStatus(10, 0, addresses(0x0100_5E00_0000L));
        assertStatus(10, BAD, addresses(0x0100_5E00_0011L));
        assertThat(port.addresses()).hasSize(17);
    }

    @Test
    void takesFramesOfVlansAndBoundsTheirList() throws Exception {
        mailbox.start(LINUX_6_17);
        assertStatus(12, 0, shorts(VSI, 2, 0, 5, 0));
        assertThat(port.vlans().stream()).containsExactly(0, 5);
        for (int vlan = 6; vlan < 21; vlan++) {
            assertStatus(12, 0, shorts(VSI, 1, vlan, 0));
        }
        assertStatus(12, BAD, shorts(VSI, 1, 4000, 0));
        assertStatus(12, BAD, shorts(VSI, 1, 4096, 0));
        assertThat(port.vlans().cardinality()).isEqualTo(17);
        assertStatus(13, 0, shorts(VSI, 2, 5, 4000, 0));
        assertThat(port.vlans().get(5)).isFalse();
    }

    @Test
    void stripsTagsWhereVlansWereGrantedUntilToldOtherwise() throws Exception {
        mailbox.start(1);
        assertThat(port.strip()).isFalse();
        mailbox.ask(3, ints(0x0001_0001));
        assertThat(port.strip()).isTrue();
        assertStatus(28, 0, new byte[0]);
        assertThat(port.strip()).isFalse();
        assertStatus(27, 0, new byte[0]);
        assertThat(port.strip()).isTrue();
    }

    @Test
    void offersNoVlansWhereTheHostSetOne() throws Exception {
        port.portVlan(7);
        assertThat(mailbox.start(LINUX_6_17).u32(8)).isEqualTo(0x0008_00E1);
        assertStatus(12, BAD, shorts(VSI, 1, 5, 0));
        assertStatus(27, BAD, new byte[0]);
    }

    @Test
    void takesEverythingWhenAsked() throws Exception {
        mailbox.start(LINUX_6_17);
        assertStatus(14, 0, shorts(VSI, 3));
        assertThat(port.unicastPromiscuous() && port.multicastPromiscuous()).isTrue();
        assertStatus(14, 0, shorts(VSI, 2));
        assertThat(port.unicastPromiscuous()).isFalse();
    }

    @Test
    void tellsItsCounters() throws Exception {
        mailbox.start(LINUX_6_17);
        MailboxDriver.Received answer = mailbox.ask(15, ints(VSI, 0, 0));
        assertThat(answer.payload()).isEqualTo(new byte[96]);
    }

    @Test
    void keepsTheHashInItsRegisters() throws Exception {
        mailbox.start(LINUX_6_17);
        byte[] key = new byte[57];
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) i;
        }
        ByteBuffer.wrap(key).order(ByteOrder.LITTLE_ENDIAN).putShort((short) VSI).putShort((short) 52);
        assertStatus(23, 0, key);
        assertThat(driver.read(0xCC00)).isEqualTo(0x0706_0504);
        assertThat(driver.read(0xCC30)).isEqualTo(0x3736_3534);
        byte[] table = new byte[69];
        for (int i = 0; i < table.length; i++) {
            table[i] = (byte) (i % 4);
        }
        ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN).putShort((short) VSI).putShort((short) 64);
        assertStatus(24, 0, table);
        assertThat(driver.read(0xD000)).isEqualTo(0x0302_0100);
        table[67] = 4;
        assertStatus(24, BAD, table);
        assertThat(mailbox.ask(25, new byte[0]).payload()).isEqualTo(ints(0xE000_0000, 0x8000_7F9F));
        assertStatus(26, 0, ints(-1, -1));
        assertThat(driver.read(0xC400)).isEqualTo(0xE000_0000);
        assertThat(driver.read(0xC404)).isEqualTo(0x8000_7F9F);
    }

    @Test
    void grantsANumberOfQueuesByAReset() throws Exception {
        mailbox.start(LINUX_6_17);
        mailbox.send(29, shorts(2));
        MailboxDriver.Received event = mailbox.receive();
        assertThat(event.opcode()).isEqualTo(17);
        assertThat(event.payload()).isEqualTo(ints(2, 0, 0, 255));
        Await.until("reset", () -> driver.read(MailboxDriver.ARQLEN) == 0);
        assertThat(mailbox.start(LINUX_6_17).u16(2)).isEqualTo(2);
        assertStatus(6, BAD, config(2));
        mailbox.send(29, shorts(4));
        mailbox.receive();
        Await.until("reset", () -> driver.read(MailboxDriver.ARQLEN) == 0);
        assertThat(mailbox.start(LINUX_6_17).u16(2)).isEqualTo(4);
    }

    @Test
    void refusesANumberOfQueuesItDoesNotHave() throws Exception {
        mailbox.start(LINUX_6_17);
        assertThat(mailbox.ask(29, shorts(5)).payload()).isEqualTo(shorts(4));
        assertThat(mailbox.ask(29, shorts(0)).payload()).isEqualTo(shorts(4));
    }

    @Test
    void resetsForTheNumberOfQueuesThoughNobodyReads() throws Exception {
        mailbox.start(LINUX_6_17);
        driver.write(MailboxDriver.ARQT, driver.read(MailboxDriver.ARQH));
        mailbox.send(29, shorts(1));
        Await.until("reset", () -> driver.read(MailboxDriver.ARQLEN) == 0);
    }

    @Test
    void tellsThatTheLinkChanged() throws Exception {
        model.network().orElseThrow().link(false);
        mailbox.start(LINUX_6_17);
        assertThat(mailbox.receive().payload()).isEqualTo(ints(1, 40000, 0, 0));
        model.network().orElseThrow().link(true);
        assertThat(mailbox.receive().payload()).isEqualTo(ints(1, 40000, 1, 0));
    }

    @Test
    void tellsOnceOfManyChangesThatNobodyReads() throws Exception {
        mailbox.start(LINUX_6_17);
        driver.write(MailboxDriver.ARQT, driver.read(MailboxDriver.ARQH));
        for (int i = 0; i < 1000; i++) {
            model.network().orElseThrow().link(i % 2 == 0);
            Await.until("the first is taken", () -> waiting() == 1);
        }
        assertThat(model.session().linkOwed()).as("the others are one").isTrue();
        model.network().orElseThrow().link(false);
        driver.write(MailboxDriver.ARQT, MailboxDriver.LENGTH - 1);
        mailbox.receive();
        assertThat(mailbox.receive().payload()).as("how it is").isEqualTo(ints(1, 40000, 0, 0));
        assertThat(mailbox.ask(15, ints(VSI, 0, 0)).status()).as("nothing more").isZero();
    }

    private int waiting() {
        synchronized (model.guard()) {
            return model.mailbox().backlogLocked().size();
        }
    }

    private void assertStatus(int opcode, int status, byte[] payload) throws Exception {
        assertThat(mailbox.ask(opcode, payload).status()).as("opcode %d", opcode).isEqualTo(status);
    }

    private static byte[] queues(int vsi, int receive, int transmit) {
        return ints(vsi, receive, transmit);
    }

    private static byte[] irqMap(int vector, int receive, int transmit) {
        return Arrays.copyOf(shorts(1, VSI, vector, receive, transmit, 0, 1), 26);
    }

    private static byte[] addresses(long... all) {
        ByteBuffer message = ByteBuffer.allocate(12 + 8 * all.length).order(ByteOrder.LITTLE_ENDIAN);
        message.putShort((short) VSI).putShort((short) all.length);
        for (long address : all) {
            for (int shift = 40; shift >= 0; shift -= 8) {
                message.put((byte) (address >>> shift));
            }
            message.putShort((short) 0);
        }
        return message.array();
    }

    static byte[] config(int... queues) {
        ByteBuffer message = ByteBuffer.allocate(72 + 64 * queues.length).order(ByteOrder.LITTLE_ENDIAN);
        message.putShort((short) VSI).putShort((short) queues.length);
        for (int i = 0; i < queues.length; i++) {
            int at = 8 + 64 * i;
            message.putShort(at, (short) VSI).putShort(at + 2, (short) queues[i]).putShort(at + 4, (short) 512).putLong(at + 8, 0x20_0000);
            message.putShort(at + 24, (short) VSI).putShort(at + 26, (short) queues[i]).putInt(at + 28, 512).putInt(at + 36, 1536)
                .putInt(at + 40, 1536).putLong(at + 48, 0x21_0000);
        }
        return message.array();
    }
}
