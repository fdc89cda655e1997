// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static org.assertj.core.api.Assertions.assertThat;

import device.sim.Await;
import device.sim.GuestRam;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MailboxTest extends OneVf {
    private static final byte[] VERSION = MailboxDriver.ints(1, 1);
    private static final int DD_CMP = 3;
    private static final int ERR = 4;

    private MailboxDriver mailbox;

    @BeforeEach
    void makeMailbox() {
        mailbox = new MailboxDriver(driver);
    }

    @Test
    void answersAMessageAndHandsItsDescriptorBack() throws Exception {
        mailbox.init();
        int index = mailbox.send(1, VERSION);
        MailboxDriver.Received answer = mailbox.peek();
        assertThat(answer.opcode()).isEqualTo(1);
        assertThat(answer.status()).isZero();
        assertThat(answer.payload()).isEqualTo(VERSION);
        mailbox.awaitSent();
        int sent = driver.ram().get(MailboxDriver.ATQ + 32 * index);
        assertThat(sent).as("flags and opcode").isEqualTo(0x0801_3400 | DD_CMP);
        int received = driver.ram().get(MailboxDriver.ARQ);
        assertThat(received).as("flags and opcode").isEqualTo(0x0802_1000 | DD_CMP);
        assertThat(driver.ram().get(MailboxDriver.ARQ + 28)).as("buffer").isEqualTo(MailboxDriver.ARQ_BUFFERS);
        assertThat(driver.read(0x4800)).as("ICR01").isEqualTo(0x4000_0000);
        assertThat(driver.read(0x4800)).as("ICR01 read again").isZero();
    }

    @Test
    void sendsVector0ForAMessage() throws Exception {
        mailbox.init();
        driver.write(0x5C00, 0x19);
        driver.write(0x5000, 0x4000_0000);
        mailbox.send(1, VERSION);
        mailbox.receive();
        Await.until("vector 0", () -> driver.read(0x5C00) == 0x18);
        assertThat(driver.raised()).containsExactly(0);
    }

    @Test
    void wrapsBothRings() throws Exception {
        mailbox.init();
        for (int i = 0; i < 3 * MailboxDriver.LENGTH; i++) {
            assertThat(mailbox.ask(1, VERSION).payload()).isEqualTo(VERSION);
        }
    }

    @Test
    void ignoresTheDoorbellOfARingThatIsOff() throws Exception {
        mailbox.init();
        driver.write(MailboxDriver.ATQLEN, MailboxDriver.LENGTH);
        mailbox.send(1, VERSION);
        driver.write(MailboxDriver.ATQLEN, MailboxDriver.ENABLE | MailboxDriver.LENGTH);
        assertThat(mailbox.receive().opcode()).as("taken when it is on").isEqualTo(1);
    }

    @Test
    void completesAQueueShutdownAndGoesOn() throws Exception {
        mailbox.init();
        int index = mailbox.command(0x2000, 0x0003, new byte[0], 0, 0);
        mailbox.awaitSent();
        assertThat(driver.ram().get(MailboxDriver.ATQ + 32 * index)).isEqualTo(0x0003_2000 | DD_CMP);
        assertThat(mailbox.ask(1, VERSION).status()).isZero();
    }

    @Test
    void completesAnUnknownCommandWithAnError() throws Exception {
        mailbox.init();
        assertError(mailbox.command(0x2000, 0x0B02, new byte[0], 0, 0), 14);
        assertError(mailbox.command(0x2000, 0x1234, new byte[0], 0, 0), 17);
    }

    @Test
    void refusesABufferLargerThanItsFlagsSay() throws Exception {
        mailbox.init();
        assertError(mailbox.command(0x3400, 0x0801, new byte[0], 513, 1), 14);
        assertError(mailbox.command(0x3600, 0x0801, new byte[0], 4097, 1), 14);
        assertThat(mailbox.hasMessage()).isFalse();
    }

    @Test
    void completesACommandWhoseBufferIsNotThereWithAnError() throws Exception {
        mailbox.init();
        driver.ram().set(MailboxDriver.ATQ + 28, 0x10);
        driver.ram().set(MailboxDriver.ATQ, 0x0801_3400);
        driver.ram().set(MailboxDriver.ATQ + 4, 8);
        driver.write(MailboxDriver.ATQT, 1);
        Await.until("ATQH", () -> driver.read(MailboxDriver.ATQH) == 1);
        assertThat(driver.ram().get(MailboxDriver.ATQ) & 7).isEqualTo(DD_CMP | ERR);
        assertThat(driver.ram().get(MailboxDriver.ATQ + 4) >>> 16).as("EFAULT").isEqualTo(11);
    }

    @Test
    void saysThatARingIsNotThere() throws Exception {
        mailbox.init();
        driver.write(0x7800, 0x7FFF_FFFF);
        driver.write(MailboxDriver.ATQT, 1);
        Await.until("critical error", () -> driver.read(MailboxDriver.ATQLEN) == (0xC000_0000 | MailboxDriver.LENGTH));
        driver.write(MailboxDriver.ATQLEN, 0);
        mailbox.init();
        assertThat(mailbox.ask(1, VERSION).status()).as("works again when set up anew").isZero();
    }

    @Test
    void saysThatARingCanBeReadOnly() throws Exception {
        mailbox.init();
        driver.write(0x7C00, (int) GuestRam.READ_ONLY);
        driver.write(MailboxDriver.ATQT, 1);
        Await.until("critical error", () -> (driver.read(MailboxDriver.ATQLEN) & 0x4000_0000) != 0);
    }

    @Test
    void saysThatARingHasNoLength() throws Exception {
        driver.config(0x04, 2, MailboxDriver.MEMORY_AND_MASTER);
        driver.write(MailboxDriver.ATQLEN, MailboxDriver.ENABLE);
        driver.write(MailboxDriver.ATQT, 1);
        Await.until("critical error", () -> driver.read(MailboxDriver.ATQLEN) == 0xC000_0000);
    }

    @Test
    void saysThatATailIsBeyondTheRing() throws Exception {
        mailbox.init();
        driver.write(MailboxDriver.ATQT, 32);
        Await.until("overflow", () -> driver.read(MailboxDriver.ATQLEN) == (0xA000_0000 | MailboxDriver.LENGTH));
        mailbox.init();
        driver.write(MailboxDriver.ARQT, 500);
        mailbox.send(1, VERSION);
        Await.until("overflow", () -> driver.read(MailboxDriver.ARQLEN) == (0xA000_0000 | MailboxDriver.LENGTH));
    }

    @Test
    void keepsAnswersUntilThereIsRoomAndTakesNoMoreCommandsMeanwhile() throws Exception {
        mailbox.init();
        driver.write(MailboxDriver.ARQT, 0);
        for (int i = 0; i < 25; i++) {
            mailbox.send(1, VERSION);
        }
        Await.until("backlog", () -> driver.read(MailboxDriver.ATQH) == 16);
        assertThat(mailbox.hasMessage()).isFalse();
        driver.write(MailboxDriver.ARQT, MailboxDriver.LENGTH - 1);
        for (int i = 0; i < 25; i++) {
            assertThat(mailbox.receive().payload()).isEqualTo(VERSION);
        }
        mailbox.awaitSent();
    }

    @Test
    void dropsAMessageForWhichTheBufferIsTooSmallAndSaysSo() throws Exception {
        mailbox.init();
        driver.ram().set(MailboxDriver.ARQ + 4, 7);
        mailbox.send(1, VERSION);
        mailbox.peek();
        assertThat(driver.ram().get(MailboxDriver.ARQ) & 7).isEqualTo(DD_CMP | ERR);
        assertThat(driver.ram().get(MailboxDriver.ARQ + 4)).as("E2BIG, no length").isEqualTo(7 << 16);
    }

    @Test
    void dropsAMessageForWhichTheBufferIsNotThereAndSaysSo() throws Exception {
        mailbox.init();
        driver.ram().set(MailboxDriver.ARQ + 24, -1);
        mailbox.send(1, VERSION);
        mailbox.peek();
        assertThat(driver.ram().get(MailboxDriver.ARQ) & 7).isEqualTo(DD_CMP | ERR);
    }

    @Test
    void doesNotTouchMemoryAfterItsDriverHasGone() throws Exception {
        mailbox.init();
        for (int i = 0; i < 20; i++) {
            mailbox.send(1, VERSION);
        }
        // Closes the memory too: a thread that still used it would fail in close.
        driver.close();
        bind();
        makeMailbox();
        mailbox.init();
        assertThat(mailbox.ask(1, VERSION).status()).isZero();
    }

    private void assertError(int index, int code) throws Exception {
        mailbox.awaitSent();
        int at = MailboxDriver.ATQ + 32 * index;
        assertThat(driver.ram().get(at) & 7).isEqualTo(DD_CMP | ERR);
        assertThat(driver.ram().get(at + 4) >>> 16).isEqualTo(code);
    }
}
