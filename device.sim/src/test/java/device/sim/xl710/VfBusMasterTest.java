// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static device.sim.xl710.MailboxDriver.ints;
import static org.assertj.core.api.Assertions.assertThat;

import device.sim.Await;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

/// The mailbox without and with Bus Master Enable. Queues are with the rest of the traffic, in `VfTrafficTest`.
class VfBusMasterTest extends OneVf {
    private static final int CAPABILITIES = 0x0009_00E1;
    private static final int COMMAND = 0x04;
    private static final int MEMORY = 2;

    private MailboxDriver mailbox;

    @BeforeEach
    void makeMailbox() {
        mailbox = new MailboxDriver(driver);
    }

    @Test
    void takesNoCommandBeforeItIsSet() throws Exception {
        mailbox.rings();
        mailbox.send(1, ints(1, 1));
        assertStays(0);
        driver.config(COMMAND, 2, MailboxDriver.MEMORY_AND_MASTER);
        assertThat(mailbox.receive().opcode()).isEqualTo(1);
    }

    @Test
    void stopsWhenItIsClearedAndGoesOnWhenItIsSet() throws Exception {
        mailbox.start(CAPABILITIES);
        for (int round = 0; round < 5; round++) {
            int taken = driver.read(MailboxDriver.ATQH);
            // A byte of the register, as well as all of it.
            driver.config(COMMAND, 1 + round % 2, MEMORY);
            mailbox.send(15, ints(1));
            assertStays(taken);
            driver.config(COMMAND, 1, MailboxDriver.MEMORY_AND_MASTER);
            assertThat(mailbox.receive().opcode()).isEqualTo(15);
        }
    }

    @Test
    void isClearedByAFunctionLevelResetAndNotByAMessage() throws Exception {
        mailbox.start(CAPABILITIES);
        mailbox.send(2, new byte[0]);
        Await.until("reset", () -> driver.read(MailboxDriver.ARQLEN) == 0 && driver.read(MailboxDriver.RSTAT) == 2);
        assertThat(driver.config(COMMAND, 2)).isEqualTo(MailboxDriver.MEMORY_AND_MASTER);
        mailbox.rings();
        assertThat(mailbox.ask(1, ints(1, 1)).status()).isZero();
        driver.function().reset();
        assertThat(driver.config(COMMAND, 2)).isZero();
        mailbox.rings();
        mailbox.send(1, ints(1, 1));
        assertStays(0);
        driver.config(COMMAND, 2, MailboxDriver.MEMORY_AND_MASTER);
        assertThat(mailbox.receive().opcode()).isEqualTo(1);
    }

    private void assertStays(int head) throws VfioException {
        // What does not come has no event to wait for: far longer than a command takes.
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(30);
        while (System.nanoTime() - end < 0) {
            assertThat(driver.read(MailboxDriver.ATQH)).isEqualTo(head);
            assertThat(mailbox.hasMessage()).isFalse();
        }
    }
}
