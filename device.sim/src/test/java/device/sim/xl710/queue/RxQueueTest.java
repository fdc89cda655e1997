// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import static org.assertj.core.api.Assertions.assertThat;

import device.sim.wire.Ethernet;
import device.sim.wire.Switch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Status bits are those of the datasheet, written out.
class RxQueueTest {
    private static final long DD_EOF = 3;
    private static final long L3L4P = 1 << 3;
    private static final long IPE = 1 << 22;
    private static final long L4E = 1 << 23;

    private Switch wire;
    private TestVf vf;
    private MemorySegment uplink;

    @BeforeEach
    void bringUp() {
        wire = new Switch(1);
        vf = new TestVf(wire, 0);
        uplink = Arena.ofAuto().allocate(16384, 8);
    }

    /// A frame comes from outside.
    private void arrive(byte[] frame, int tag) {
        MemorySegment.copy(MemorySegment.ofArray(frame), 0, uplink, 8, frame.length);
        wire.receive(uplink, 8, frame.length, tag);
    }

    private void arrive(byte[] frame) {
        arrive(frame, Ethernet.UNTAGGED);
        vf.run();
    }

    private static byte[] frame(int length, int seed) {
        return Frames.plain(0, 1, length, seed);
    }

    private static int packetType(long status) {
        return (int) (status >>> 30) & 0xFF;
    }

    @Test
    void writesFrameAndDescriptorAndRaisesItsVector() {
        vf.up();
        arrive(frame(100, 1));
        long status = vf.status();
        assertThat(status & 0x7_FFFF).isEqualTo(DD_EOF);
        assertThat(status >>> 38).isEqualTo(100);
        assertThat(packetType(status)).isEqualTo(1);
        assertThat(vf.memory.get(TestVf.rxDescriptor(0))).isZero();
        assertThat(vf.memory.get(TestVf.rxDescriptor(0) + 16)).isZero();
        assertThat(vf.memory.get(TestVf.rxDescriptor(0) + 24)).isZero();
        assertThat(vf.receive()).isEqualTo(frame(100, 1));
        assertThat(vf.events).containsExactly(1);
        assertThat(vf.queues.counters().rxUnicast()).isEqualTo(1);
        assertThat(vf.queues.counters().rxBytes()).isEqualTo(100);
    }

    @Test
    void writesTheDoneBitsLastAndInOrder() {
        vf.up();
        for (int i = 0; i < 3; i++) {
            arrive(frame(100, i), Ethernet.UNTAGGED);
        }
        List<TestMemory.Transfer> writes = vf.memory.record();
        vf.run();
        assertThat(writes).containsExactly(
            new TestMemory.Transfer(TestVf.rxBuffer(0), 100), new TestMemory.Transfer(TestVf.rxBuffer(1), 100),
            new TestMemory.Transfer(TestVf.rxBuffer(2), 100), new TestMemory.Transfer(TestVf.rxDescriptor(0), 96),
            new TestMemory.Transfer(TestVf.rxDescriptor(0) + 8, 8), new TestMemory.Transfer(TestVf.rxDescriptor(1) + 8, 8),
            new TestMemory.Transfer(TestVf.rxDescriptor(2) + 8, 8));
        assertThat(vf.events).as("one event for a batch").containsExactly(1);
    }

    @Test
    void spansBuffersWithTheEndOnTheLast() {
        vf.up();
        byte[] frame = frame(2 * TestVf.BUFFER + 1, 1);
        arrive(frame);
        assertThat(vf.status() & DD_EOF).isEqualTo(1);
        byte[] first = vf.receive();
        assertThat(vf.status() & DD_EOF).isEqualTo(1);
        byte[] second = vf.receive();
        assertThat(vf.status() & DD_EOF).isEqualTo(DD_EOF);
        byte[] third = vf.receive();
        assertThat(third).hasSize(1);
        assertThat(Frames.join(first, second, third)).isEqualTo(frame);
    }

    @Test
    void dropsWhatIsTooLong() {
        vf.up(new RxSettings(TestVf.rx().base(), TestVf.RING, 512, 1514, 0, false));
        arrive(frame(1515, 1));
        assertThat(vf.status() & 1).isZero();
        arrive(frame(1514, 1));
        assertThat(vf.status() & 1).isEqualTo(1);
        assertThat(vf.queues.counters().rxDiscards()).isEqualTo(1);
    }

    @Test
    void dropsWhatNeedsMoreThanFiveBuffers() {
        vf.up(new RxSettings(TestVf.rx().base(), TestVf.RING, 512, 9728, 0, false));
        arrive(frame(5 * 512 + 1, 1));
        assertThat(vf.status() & 1).isZero();
        assertThat(vf.queues.counters().rxDiscards()).isEqualTo(1);
        arrive(frame(5 * 512, 1));
        assertThat(vf.status() & 1).isEqualTo(1);
    }

    @Test
    void keepsAFrameForAWhileUntilThereAreDescriptors() {
        vf.up();
        vf.queues.tail(true, 0, 0);
        arrive(frame(100, 1));
        assertThat(vf.status() & 1).isZero();
        assertThat(vf.queues.sleepNanos()).isBetween(1L, 10_000_000L);
        vf.queues.tail(true, 0, 1);
        vf.run();
        assertThat(vf.receive()).isEqualTo(frame(100, 1));
        assertThat(vf.queues.sleepNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void dropsFramesThatWaitedTooLong() {
        vf.up();
        vf.queues.tail(true, 0, 0);
        arrive(frame(100, 1));
        arrive(frame(100, 2));
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (vf.queues.counters().rxDiscards() < 2) {
            vf.queues.run();
            assertThat(System.nanoTime()).isLessThan(deadline);
        }
        vf.queues.tail(true, 0, 1);
        vf.run();
        assertThat(vf.status() & 1).isZero();
        arrive(frame(100, 3));
        assertThat(vf.receive()).isEqualTo(frame(100, 3));
    }

    @Test
    void marksAFrameWhoseBufferCannotBeWritten() {
        vf.up();
        vf.memory.set(TestVf.rxDescriptor(0), 0x666);
        arrive(frame(100, 1));
        assertThat(vf.status() & (DD_EOF | 1 << 19)).isEqualTo(DD_EOF | 1 << 19);
        vf.rxNext = 1;
        arrive(frame(100, 2));
        assertThat(vf.receive()).isEqualTo(frame(100, 2));
        assertThat(vf.queues.faults().dmaFaults()).isEqualTo(1);
        assertThat(vf.queues.faults().malicious()).isZero();
    }

    @Test
    void stopsTheQueueWhoseRingCannotBeReached() {
        vf.up();
        vf.memory.writable(iova -> iova >= TestVf.rxBuffer(0));
        arrive(frame(100, 1));
        assertThat(vf.queues.faults().last()).isEqualTo(StopReason.RING_UNREACHABLE);
        assertThat(vf.queues.faults().stoppedRx()).isEqualTo(1);
        vf.memory.writable(iova -> true);
        arrive(frame(100, 1));
        assertThat(vf.queues.counters().rxDiscards()).isEqualTo(1);
    }

    @Test
    void stopsTheQueueForATailBeyondTheRing() {
        vf.up();
        vf.queues.tail(true, 0, 0);
        arrive(frame(100, 1));
        vf.queues.tail(true, 0, TestVf.RING);
        vf.run();
        assertThat(vf.queues.faults().last()).isEqualTo(StopReason.BAD_TAIL);
        assertThat(vf.queues.counters().rxDiscards()).isEqualTo(1);
    }

    @Test
    void keepsTheTailAcrossDisableAndEnable() {
        vf.up();
        arrive(frame(100, 1));
        vf.queues.disable(1, 0);
        assertThat(vf.queues.tail(true, 0)).isEqualTo(TestVf.RING - 1);
        vf.queues.tail(true, 0, 3);
        arrive(frame(100, 2));
        vf.post(0);
        assertThat(vf.queues.enable(1, 0)).isTrue();
        assertThat(vf.queues.tail(true, 0)).isEqualTo(3);
        arrive(frame(100, 3));
        assertThat(vf.receive()).as("from the start of the ring").isEqualTo(frame(100, 3));
    }

    @Test
    void deliversTheFrameCheckSequenceWhenAsked() {
        vf.up(new RxSettings(TestVf.rx().base(), TestVf.RING, TestVf.BUFFER, 9728, 1, true));
        byte[] frame = frame(100, 1);
        arrive(frame);
        byte[] received = vf.receive();
        assertThat(received).hasSize(104).startsWith(frame);
        CRC32 crc = new CRC32();
        // Over a frame with its sequence the remainder is a constant.
        crc.update(received);
        assertThat(crc.getValue()).isEqualTo(0x2144_DF1CL);
    }

    @Test
    void takesTheTagOutWhenTold() {
        vf.up();
        vf.port.strip(true);
        arrive(frame(100, 1), 0x6005);
        vf.run();
        assertThat(vf.status() & 1 << 2).isEqualTo(1 << 2);
        assertThat(vf.memory.get(TestVf.rxDescriptor(0)) >>> 16 & 0xFFFF).isEqualTo(0x6005);
        assertThat(vf.receive()).isEqualTo(frame(100, 1));
    }

    @Test
    void leavesTheTagInAlsoAfterAWait() {
        vf.up();
        vf.queues.tail(true, 0, 0);
        arrive(frame(100, 1), 0x6005);
        vf.run();
        vf.run();
        vf.queues.tail(true, 0, 1);
        vf.run();
        assertThat(vf.status() & 1 << 2).isZero();
        byte[] frame = frame(100, 1);
        assertThat(vf.receive()).isEqualTo(Frames.join(Frames.part(frame, 0, 12), new byte[] {(byte) 0x81, 0, 0x60, 5},
            Frames.part(frame, 12, 100)));
    }

    @ParameterizedTest
    @CsvSource({"0800, 6, 26", "0800, 17, 24", "0800, 1, 28", "0800, 132, 27", "0800, 89, 23", "86DD, 6, 92", "86DD, 17, 90",
        "86DD, 58, 94", "86DD, 132, 93", "86DD, 59, 89", "0806, 0, 11", "88B5, 0, 1"})
    void saysWhatItIs(String etherType, int protocol, int packetType) {
        vf.up();
        int type = Integer.parseInt(etherType, 16);
        byte[] content = Frames.payload(46, 1);
        byte[] packet = switch (type) {
            case 0x0800 -> Frames.ipv4(protocol, 1, content);
            case 0x86DD -> Frames.ipv6(protocol, content);
            default -> content;
        };
        arrive(Frames.ethernet(Frames.address(0), Frames.address(1), type, packet));
        assertThat(packetType(vf.status())).isEqualTo(packetType);
    }

    @Test
    void checksSums() {
        vf.up();
        byte[] transport = Frames.tcp(1, 0x10, Frames.payload(101, 1));
        byte[] packet = Frames.ipv4(6, 1, transport);
        Frames.number(packet, 36, ~Frames.sum(packet, 20, 121, Frames.pseudo(packet, 6, 121)));
        assertThat(statusOf(0x0800, packet)).isEqualTo(L3L4P);
        packet[60]++;
        assertThat(statusOf(0x0800, packet)).isEqualTo(L3L4P | L4E);
        packet[8]++;
        assertThat(statusOf(0x0800, packet)).isEqualTo(L3L4P | L4E | IPE);
        assertThat(statusOf(0x0800, Frames.ipv4(17, 1, Frames.udp(Frames.payload(50, 1))))).as("without a sum").isEqualTo(L3L4P);
        assertThat(statusOf(0x86DD, Frames.ipv6(17, Frames.udp(Frames.payload(50, 1))))).as("must have one").isEqualTo(L3L4P | L4E);
        byte[] v6 = Frames.ipv6(17, Frames.udp(Frames.payload(51, 1)));
        Frames.number(v6, 46, ~Frames.sum(v6, 40, 59, Frames.pseudo(v6, 17, 59)));
        assertThat(statusOf(0x86DD, v6)).isEqualTo(L3L4P);
    }

    private long statusOf(int type, byte[] packet) {
        arrive(Frames.ethernet(Frames.address(0), Frames.address(1), type, packet));
        long status = vf.status();
        vf.receive();
        return status & (L3L4P | IPE | L4E);
    }

    @Test
    void knowsFragments() {
        vf.up();
        byte[] v4 = Frames.ipv4(17, 1, Frames.payload(64, 1));
        Frames.number(v4, 6, 0x2000);
        arrive(Frames.ethernet(Frames.address(0), Frames.address(1), 0x0800, v4));
        assertThat(packetType(vf.status())).isEqualTo(22);
        vf.receive();
        byte[] fragment = Frames.join(new byte[] {17, 0, 0, 1, 0, 0, 0, 1}, Frames.payload(64, 1));
        byte[] v6 = Frames.ipv6(0, Frames.join(new byte[] {44, 0, 1, 4, 0, 0, 0, 0}, fragment));
        arrive(Frames.ethernet(Frames.address(0), Frames.address(1), 0x86DD, v6));
        assertThat(packetType(vf.status())).isEqualTo(88);
        assertThat(vf.status() & 1 << 15).as("extension headers").isEqualTo(1 << 15);
    }

    @Test
    void believesNoLengthInAFrame() {
        vf.up();
        byte[] packet = Frames.ipv4(6, 1, Frames.payload(40, 1));
        Frames.number(packet, 2, 0xFFFF);
        assertThat(statusOf(0x0800, packet)).isZero();
        Frames.number(packet, 2, 19);
        assertThat(statusOf(0x0800, packet)).isZero();
        packet[0] = 0x4F;
        Frames.number(packet, 2, 59);
        assertThat(statusOf(0x0800, packet)).isZero();
        byte[] options = new byte[48];
        for (int i = 0; i < options.length; i += 8) {
            options[i] = 60;
        }
        options[41] = (byte) 0xFF;
        assertThat(statusOf(0x86DD, Frames.ipv6(60, options))).isEqualTo(L3L4P);
        byte[] endless = new byte[800];
        for (int i = 0; i < endless.length; i += 8) {
            endless[i] = 60;
        }
        assertThat(statusOf(0x86DD, Frames.ipv6(60, endless))).isEqualTo(L3L4P);
    }
}
