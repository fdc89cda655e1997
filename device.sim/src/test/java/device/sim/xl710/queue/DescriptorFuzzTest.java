// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import device.sim.wire.Ethernet;
import device.sim.wire.Switch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

/// Hostile rings, descriptors, tails and states on one function, with two others at work beside it. Whatever it does, each run of its
/// queues comes to an end, nothing but an answer comes out, and the two go on.
///
/// 15 seconds, or ten minutes with `-Dvfio.nightly=true`. `-Dvfio.fuzz.seed=N` repeats a round.
class DescriptorFuzzTest {
    private static final long SECONDS = Boolean.getBoolean("vfio.nightly") ? 600 : 15;
    private static final int STEPS = 400;
    /// A machine that is slow goes on beyond the time until a queue was stopped for every reason, which takes up to some fifty rounds.
    private static final int ROUNDS_FOR_ALL_REASONS = 500;
    /// A bounded batch, with generous room for a machine that is busy.
    private static final long MOST_RUN_NANOS = 10_000_000_000L;

    private Random random;
    private Switch wire;
    private TestVf hostile;
    private TestVf left;
    private TestVf right;
    private MemorySegment outside;
    private final Set<StopReason> reached = EnumSet.noneOf(StopReason.class);
    private long delivered;
    private long sent;

    @Test
    void survivesWhateverADriverDoes() {
        // In a thread of its own: what does not come to an end is to fail, too.
        assertTimeoutPreemptively(Duration.ofSeconds(SECONDS + 120), this::fuzz);
    }

    private void fuzz() {
        long first = Long.getLong("vfio.fuzz.seed", System.nanoTime());
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        long rounds = 0;
        long allReached = 0;
        do {
            long seed = first + rounds;
            try {
                round(seed);
            } catch (RuntimeException | AssertionError failure) {
                throw new AssertionError("-Dvfio.fuzz.seed=" + seed, failure);
            }
            rounds++;
            allReached += reached.size() < StopReason.values().length ? 1 : 0;
        } while (System.nanoTime() - deadline < 0 || allReached == rounds && rounds < ROUNDS_FOR_ALL_REASONS);
        System.getLogger("test").log(System.Logger.Level.INFO,
            "{0} rounds of {1} steps from seed {2}, all reasons to stop within {3}, {4} frames of the bystanders, {5} of the hostile one",
            rounds, STEPS, Long.toString(first), allReached + 1, delivered, sent);
        assertThat(delivered).isPositive();
        assertThat(reached).as("what queues were stopped for").containsAll(EnumSet.allOf(StopReason.class));
        assertThat(sent).as("frames of the hostile one").isPositive();
    }

    private void round(long seed) {
        random = new Random(seed);
        wire = new Switch(3);
        hostile = new TestVf(wire, 0);
        left = new TestVf(wire, 1).up();
        right = new TestVf(wire, 2).up();
        outside = Arena.ofAuto().allocate(16384, 8);
        fillMemory();
        configure();
        for (int step = 0; step < STEPS; step++) {
            act();
            runHostile();
            reached.add(hostile.queues.faults().last());
            if (step % 50 == 0) {
                exchange(step);
            }
        }
        sent += hostile.queues.counters().txUnicast();
    }

    /// The bystanders' frames get through, whatever else they receive.
    private void exchange(int seed) {
        byte[] frame = Frames.plain(2, 1, 60 + seed, seed);
        drain(left);
        drain(right);
        left.send(frame, 0);
        right.run();
        boolean found = false;
        for (byte[] got = right.receive(); got.length > 0; got = right.receive()) {
            found |= Arrays.equals(got, frame);
        }
        assertThat(found).as("a frame between two others").isTrue();
        assertThat(left.queues.faults().malicious() + right.queues.faults().malicious()).isZero();
        delivered++;
    }

    private static void drain(TestVf vf) {
        boolean more = true;
        while (more) {
            vf.run();
            more = false;
            while (vf.receive().length > 0) {
                more = true;
            }
        }
    }

    private void runHostile() {
        long start = System.nanoTime();
        for (int i = 0; i < 4; i++) {
            hostile.queues.run();
            hostile.queues.rung();
            assertThat(hostile.queues.sleepNanos()).isPositive();
        }
        assertThat(System.nanoTime() - start).isLessThan(MOST_RUN_NANOS);
        if (hostile.events.size() > 1000) {
            hostile.events.clear();
        }
    }

    private void fillMemory() {
        for (int i = 0; i < 2000; i++) {
            hostile.memory.set(TestMemory.BASE + 8L * random.nextInt((int) (TestMemory.SIZE / 8)), random.nextLong());
        }
        byte[] packet = Frames.ethernet(Frames.address(1 + random.nextInt(2)), Frames.address(0), random.nextBoolean() ? 0x0800 : 0x86DD,
            Frames.ipv4(random.nextBoolean() ? 6 : 17, 1, Frames.tcp(1, 0x18, Frames.payload(1400, 1))));
        for (int i = 0; i < TestVf.RING; i++) {
            hostile.memory.put(TestVf.txBuffer(i), packet);
        }
    }

    private void configure() {
        for (int queue = -1; queue <= QueuePairs.PAIRS; queue++) {
            hostile.queues.configureTx(queue, new TxSettings(base(), length(8)));
            hostile.queues.configureRx(queue, new RxSettings(base(), length(32), oneOf(1, 2, 64, 2048, 16256, random.nextInt()),
                oneOf(64, 1518, 9728, 16383, random.nextInt()), oneOf(0, 1, 2), random.nextBoolean()));
            hostile.queues.map(queue, random.nextBoolean(), random.nextInt(6), random.nextInt(4));
        }
    }

    private long base() {
        return switch (random.nextInt(8)) {
            case 0 -> random.nextLong();
            case 1 -> TestMemory.BASE + TestMemory.SIZE - 128L * random.nextInt(20);
            case 2 -> -128L * random.nextInt(100);
            default -> TestMemory.BASE + 128L * random.nextInt(0x2000);
        };
    }

    private int length(int granule) {
        return switch (random.nextInt(6)) {
            case 0 -> random.nextInt();
            case 1 -> 8160;
            default -> granule * (1 + random.nextInt(16));
        };
    }

    private int oneOf(int... values) {
        return values[random.nextInt(values.length)];
    }

    private void act() {
        QueuePairs queues = hostile.queues;
        int queue = random.nextInt(QueuePairs.PAIRS);
        switch (random.nextInt(25)) {
            case 0 -> queues.disable(random.nextInt(16), random.nextInt(16));
            case 1 -> queues.enable(random.nextInt(32), random.nextInt(32));
            case 2 -> configure();
            case 3 -> queues.reset();
            case 4 -> saveAndLoad();
            case 5 -> queues.rss(bytes(random.nextInt(60)), bytes(random.nextInt(70)), random.nextLong());
            case 6 -> port();
            case 7 -> hostile.memory.readable(random.nextInt(4) == 0 ? iova -> (iova >>> 12) % 3 != 0 : iova -> true);
            case 8 -> hostile.memory.writable(random.nextInt(4) == 0 ? iova -> (iova >>> 12) % 3 != 0 : iova -> true);
            case 9, 10, 11 -> arrive();
            case 12, 13 -> queues.tail(true, queue, random.nextInt());
            case 14 -> queues.tail(false, queue, random.nextInt());
            case 15 -> wellFormed(queue);
            case 16 -> endless();
            default -> {
                enableSmall();
                descriptors();
            }
        }
    }

    /// A ring that works, so that what follows gets past the first check.
    private void enableSmall() {
        if (hostile.queues.configureTx(0, TestVf.tx())) {
            hostile.queues.enable(0, 1);
            hostile.txTail = 0;
        } else if (hostile.queues.faults().stoppedTx() != 0 || random.nextInt(50) == 0) {
            hostile.queues.disable(0, 15);
        }
    }

    /// Packets that are almost right.
    private void descriptors() {
        int count = 1 + random.nextInt(12);
        for (int i = 0; i < count; i++) {
            boolean last = i == count - 1;
            long address = random.nextInt(20) == 0 ? random.nextLong() : TestVf.txBuffer(random.nextInt(TestVf.RING));
            long qw1 = (long) random.nextInt(random.nextBoolean() ? 2000 : 16384) << 34;
            qw1 |= (long) oneOf(7, 7, 7, 9, random.nextInt(128)) << 16;
            qw1 |= (long) oneOf(5, 10, 10, random.nextInt(128)) << 23;
            qw1 |= (long) oneOf(5, 5, 2, random.nextInt(16)) << 30;
            qw1 |= (long) oneOf(0x160, 0x120, 0x340, 0x360, 0x220, random.nextInt(1024)) << 4 & 0x3F80;
            qw1 |= last ? 3L << 4 : 0;
            if (i == 0 && random.nextBoolean()) {
                qw1 = 1 | 1L << 4 | (long) random.nextInt(1 << 18) << 30 | (long) random.nextInt(1 << 14) << 50;
            }
            if (random.nextInt(30) == 0) {
                qw1 ^= 1L << random.nextInt(64);
            }
            hostile.descriptor(address, qw1);
        }
        hostile.queues.tail(false, 0, hostile.txTail);
    }

    /// A packet to be cut whose lengths fit, so that the cutting itself is reached.
    private void wellFormed(int queue) {
        hostile.queues.disable(0, 1);
        enableSmall();
        boolean v6 = random.nextBoolean();
        int headers = v6 ? 74 : 54;
        int length = headers + 1 + random.nextInt(1300);
        hostile.descriptor(random.nextLong(), TestVf.Tx.tso(length - headers, 64 + random.nextInt(10_000)));
        hostile.descriptor(TestVf.txBuffer(queue), TestVf.Tx.EOP | TestVf.Tx.RS | (v6 ? TestVf.Tx.IPV6 : TestVf.Tx.IPV4_CHECKSUM)
            | TestVf.Tx.TCP | TestVf.Tx.headers(14, v6 ? 40 : 20, 20) | (long) length << 34);
        hostile.queues.tail(false, 0, hostile.txTail);
    }

    /// A ring without an end of packet, or almost.
    private void endless() {
        hostile.queues.disable(0, 1);
        enableSmall();
        hostile.descriptor(random.nextLong(), TestVf.Tx.tso(1000, 100));
        for (int i = random.nextInt(4) == 0 ? 3 : 2; i < TestVf.RING; i++) {
            hostile.descriptor(TestVf.txBuffer(0), 100L << 34);
        }
        hostile.queues.tail(false, 0, hostile.txTail);
    }

    private void saveAndLoad() {
        if (random.nextBoolean()) {
            hostile.queues.quiesce();
        }
        byte[] state = hostile.queues.save();
        if (random.nextBoolean()) {
            state[random.nextInt(state.length)] ^= (byte) (1 << random.nextInt(8));
        }
        try {
            hostile.queues.load(state);
        } catch (VfioException refused) {
            assertThat(refused.getMessage()).contains("expected=");
        }
        hostile.queues.resume();
    }

    private void port() {
        hostile.port.strip(random.nextBoolean());
        hostile.port.insert(random.nextBoolean());
        hostile.port.promiscuous(random.nextBoolean(), random.nextBoolean());
        hostile.port.portVlan(random.nextInt(8) == 0 ? random.nextInt() : 0);
        hostile.port.link(random.nextInt(8) != 0);
        hostile.port.addVlan(random.nextInt());
        hostile.port.removeVlan(random.nextInt());
        hostile.port.addAddress(random.nextLong());
        if (random.nextInt(4) == 0) {
            hostile.port.reset();
        }
    }

    /// A frame for it, whose headers lie.
    private void arrive() {
        int length = 60 + random.nextInt(random.nextBoolean() ? 100 : 9669);
        byte[] frame = Frames.plain(0, 1, length, random.nextInt());
        Frames.number(frame, 12, oneOf(0x0800, 0x86DD, 0x8100, 0x0806, random.nextInt()));
        frame[14] = (byte) oneOf(0x45, 0x60, 0x4F, 0x40, random.nextInt());
        Frames.number(frame, 16, oneOf(length - 14, 20, 0, random.nextInt()));
        frame[20] = (byte) oneOf(6, 17, 0, 60, 44, random.nextInt());
        frame[23] = (byte) oneOf(6, 17, 132, random.nextInt());
        MemorySegment.copy(MemorySegment.ofArray(frame), 0, outside, 8, length);
        wire.receive(outside, 8, length, random.nextBoolean() ? Ethernet.UNTAGGED : random.nextInt(0x10000));
    }

    private byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }
}
