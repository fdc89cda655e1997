// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static device.sim.xl710.MailboxDriver.ints;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import device.sim.GuestRam;
import device.sim.TestDriver;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

/// Hostile registers, rings, messages and states on one function with its threads running, with another one at work beside it. Whatever it
/// does, the function comes back by a reset, the other one goes on, and what waits inside stays bounded. Hostile descriptors of queues are
/// fuzzed with the queues themselves.
///
/// 20 seconds, or ten minutes with `-Dvfio.nightly=true`. `-Dvfio.fuzz.seed=N` repeats what a round does, as far as threads allow.
class VfFuzzTest {
    private static final long SECONDS = Boolean.getBoolean("vfio.nightly") ? 600 : 20;
    private static final int STEPS = 2_000;
    private static final int CAPABILITIES = 0x0009_00E1;
    private static final int[] REGISTERS = {0x0000, 0x0004, 0x2000, 0x200C, 0x2800, 0x3800, 0x383C, 0x4800, 0x4C00, 0x5000, 0x5400,
        0x5C00, 0x6000, 0x6400, 0x6800, 0x6C00, 0x7000, 0x7400, 0x7800, 0x7C00, 0x8000, 0x8400, 0x8800, 0xC400, 0xCC00, 0xD000, 0xD400,
        0xFFFC};
    private static final int[] VALUES = {0, 1, 2, 31, 32, 33, 511, 1023, 0x1FFF, 0x19, 0x1B, 0x0100_001D, 0x4000_0018, 0x4000_0000,
        0x8000_0000, 0x8000_0001, 0x8000_0020, 0x8000_03FF, 0x7FFF_FFFF, -1, MailboxDriver.ATQ, MailboxDriver.ARQ,
        (int) GuestRam.READ_ONLY, (int) (GuestRam.BASE + GuestRam.SIZE) - 16};
    private static final int[] OPCODES = {1, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 23, 24, 25, 26, 27, 28, 29, 2, 0, 44, -1};

    private final TestCard card = TestCard.standard();
    private final VfModel hostileModel = (VfModel) card.virtualFunction(0).model();
    private Random random;
    private TestDriver hostile;
    private TestDriver bystander;
    private MailboxDriver mailbox;
    private MailboxDriver peaceful;
    private TestDriver physical;
    private AdminQueueDriver admin;
    private long answered;

    @Test
    void survivesWhateverADriverDoes() {
        // In a thread of its own: what does not come to an end is to fail, too.
        assertTimeoutPreemptively(Duration.ofSeconds(SECONDS + 120), this::fuzz);
    }

    private void fuzz() throws Exception {
        long first = Long.getLong("vfio.fuzz.seed", System.nanoTime());
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        bystander = TestDriver.bind(card.virtualFunction(1));
        peaceful = new MailboxDriver(bystander);
        peaceful.start(CAPABILITIES);
        physical = TestDriver.bind(card.physicalFunction(), "i40e");
        admin = new AdminQueueDriver(physical);
        long rounds = 0;
        do {
            long seed = first + rounds;
            boolean passed = false;
            try {
                round(seed);
                passed = true;
            } finally {
                if (!passed) {
                    System.getLogger("test").log(System.Logger.Level.ERROR, "failed with -Dvfio.fuzz.seed={0}", Long.toString(seed));
                }
            }
            rounds++;
        } while (System.nanoTime() - deadline < 0);
        bystander.close();
        physical.close();
        System.getLogger("test").log(System.Logger.Level.INFO, "{0} rounds of {1} steps from seed {2}, {3} messages answered", rounds,
            STEPS, Long.toString(first), answered);
        assertThat(answered).as("messages of the hostile one that were answered").isPositive();
    }

    private void round(long seed) throws Exception {
        random = new Random(seed);
        hostile = TestDriver.bind(card.virtualFunction(0));
        mailbox = new MailboxDriver(hostile);
        mailbox.start(CAPABILITIES);
        for (int step = 0; step < STEPS; step++) {
            act();
            if (step % 200 == 0) {
                assertThat(peaceful.ask(1, ints(1, 1)).status()).as("the other function goes on").isZero();
                assertBounded();
            }
        }
        hostile.ram().reachable(true);
        hostile.function().reset();
        mailbox = new MailboxDriver(hostile);
        assertThat(mailbox.start(CAPABILITIES).u32(8)).as("comes back by a reset").isEqualTo(CAPABILITIES);
        assertThat(mailbox.ask(6, VirtchnlTest.config(0)).status()).isZero();
        hostile.close();
    }

    private void act() throws Exception {
        switch (random.nextInt(16)) {
            case 0, 1, 2 -> hostile.write(offset(), value());
            case 3 -> hostile.write(0, random.nextInt(0xFFF8), 1 + random.nextInt(8), random.nextLong());
            case 4 -> hostile.read(offset());
            case 5 -> hostile.mapped(0).set(ValueLayout.JAVA_INT, 4L * random.nextInt(0x3000 / 4), value());
            case 6, 7, 8, 9 -> message();
            case 10 -> scribble();
            case 11 -> mailbox.init();
            case 12 -> rare();
            case 13 -> hostile.write(3, 4L * random.nextInt(0x1000), 4, value());
            case 14 -> drain();
            default -> hostile.write(random.nextBoolean() ? MailboxDriver.ATQT : MailboxDriver.ARQT, random.nextInt(34));
        }
    }

    private void rare() throws Exception {
        switch (random.nextInt(9)) {
            case 0 -> hostile.function().reset();
            case 1 -> hostile.ram().reachable(random.nextInt(3) > 0);
            case 2 -> hostile.config(random.nextInt(0x1000), 1, random.nextInt());
            case 3 -> card.virtualFunction(0).model().network().orElseThrow().link(random.nextBoolean());
            case 4 -> state();
            case 5 -> {
                physical.write(0x91800, 1);
                physical.write(0x91800, 0);
                physical.write(0x74400, random.nextInt(3));
            }
            case 6 -> hostile.take(random.nextBoolean());
            case 7 -> hostile.config(0x04, 1 + random.nextInt(2), random.nextInt(8));
            default -> {
                hostile.ram().reachable(true);
                hostile.function().reset();
                mailbox = new MailboxDriver(hostile);
                mailbox.start(CAPABILITIES);
            }
        }
    }

    /// A state goes out and comes back, as it was or not.
    private void state() throws Exception {
        admin.stop(0);
        byte[] state = admin.read(0);
        switch (random.nextInt(3)) {
            case 0 -> assertThat(admin.write(0, state)).isZero();
            case 1 -> {
                state[random.nextInt(state.length)] ^= (byte) (1 + random.nextInt(255));
                assertThat(admin.write(0, state)).isNotZero();
            }
            default -> {
                // With a checksum that is right: taken or refused, but nothing worse.
                for (int i = random.nextInt(8); i >= 0; i--) {
                    state[StateWriter.HEADER + random.nextInt(state.length - StateWriter.HEADER)] = (byte) random.nextInt();
                }
                CRC32C checksum = new CRC32C();
                checksum.update(state, StateWriter.HEADER, state.length - StateWriter.HEADER);
                ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN).putInt(12, (int) checksum.getValue());
                admin.write(0, state);
            }
        }
        admin.restart(0);
    }

    private void message() throws VfioException {
        byte[] payload = new byte[random.nextInt(4) == 0 ? random.nextInt(4097) : random.nextInt(160)];
        random.nextBytes(payload);
        if (random.nextInt(4) > 0 && payload.length >= 4) {
            // Plausible enough to get past the first look.
            payload[0] = 1;
            payload[1] = 0;
            payload[2] = (byte) random.nextInt(5);
            payload[3] = 0;
        }
        int opcode = OPCODES[random.nextInt(OPCODES.length)];
        if (random.nextInt(8) == 0) {
            mailbox.command(random.nextInt(0x1_0000), random.nextInt(0x1000), payload, random.nextInt(0x1_0000), opcode);
        } else if (random.nextInt(8) == 0) {
            mailbox.send(6, VirtchnlTest.config(random.nextInt(5)));
            mailbox.send(8, ints(1, random.nextInt(32), random.nextInt(32)));
        } else {
            mailbox.send(opcode, payload);
        }
    }

    private void drain() throws VfioException {
        for (int i = 0; i < 32 && mailbox.hasMessage() && hostile.read(MailboxDriver.ARQH) < MailboxDriver.LENGTH; i++) {
            mailbox.skip();
            answered++;
        }
    }

    private void scribble() {
        MemorySegment memory = hostile.ram().memory();
        byte[] noise = new byte[1 + random.nextInt(64)];
        random.nextBytes(noise);
        long at = random.nextInt(4) == 0 ? random.nextLong(memory.byteSize() - noise.length)
            : (random.nextBoolean() ? MailboxDriver.ATQ : MailboxDriver.ARQ) - GuestRam.BASE + random.nextInt(1024);
        MemorySegment.copy(noise, 0, memory, ValueLayout.JAVA_BYTE, at, noise.length);
    }

    private void assertBounded() {
        synchronized (hostileModel.guard()) {
            assertThat(hostileModel.mailbox().backlogLocked()).hasSizeLessThanOrEqualTo(18);
        }
        assertThat(hostileModel.port().addresses()).hasSizeLessThanOrEqualTo(17);
        assertThat(hostileModel.port().vlans().cardinality()).isLessThanOrEqualTo(17);
    }

    private int offset() {
        return random.nextInt(4) == 0 ? 4 * random.nextInt(0x4000) : REGISTERS[random.nextInt(REGISTERS.length)];
    }

    private int value() {
        return random.nextInt(3) == 0 ? random.nextInt() : VALUES[random.nextInt(VALUES.length)];
    }
}
