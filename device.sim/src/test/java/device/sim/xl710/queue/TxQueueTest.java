// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import static org.assertj.core.api.Assertions.assertThat;

import device.sim.xl710.queue.TestVf.Tx;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TxQueueTest extends TwoVfs {
    private static final byte[] FRAME = Frames.plain(1, 0, 100, 1);

    @Test
    void sendsAndWritesTheDoneTypeBack() {
        int at = sender.send(FRAME, 0);
        assertThat(sender.done(at) & 0xF).isEqualTo(0xF);
        assertThat(received()).isEqualTo(FRAME);
        assertThat(sender.events).containsExactly(2);
        VfCounters counters = sender.queues.counters();
        assertThat(counters.txUnicast()).isEqualTo(1);
        assertThat(counters.txBytes()).isEqualTo(100);
    }

    @Test
    void writesNothingBackWithoutRs() {
        int at = sender.data(FRAME, Tx.EOP);
        long before = sender.done(at);
        sender.ring();
        assertThat(sender.done(at)).isEqualTo(before);
        assertThat(sender.events).isEmpty();
        assertThat(received()).isEqualTo(FRAME);
    }

    @Test
    void gathersBuffersAcrossTheEndOfTheRing() {
        for (int i = 0; i < TestVf.RING - 2; i++) {
            sender.send(FRAME, 0);
            assertThat(received()).isEqualTo(FRAME);
        }
        sender.data(Frames.part(FRAME, 0, 20), 0);
        sender.data(Frames.part(FRAME, 20, 21), 0);
        sender.data(Frames.part(FRAME, 21, 50), 0);
        int last = sender.send(Frames.part(FRAME, 50, 100), 0);
        assertThat(last).isEqualTo(1);
        assertThat(received()).isEqualTo(FRAME);
        assertThat(sender.done(last) & 0xF).isEqualTo(0xF);
    }

    @Test
    void takesNoTailForADriversBetweenHaltAndReset() {
        sender.send(FRAME, 0);
        assertThat(received()).isEqualTo(FRAME);
        sender.queues.halt();
        sender.queues.tail(false, 0, 0);
        sender.run();
        assertThat(received()).as("what is left in the ring").isEmpty();
        sender.queues.reset();
        sender.txTail = 0;
        sender.up().send(FRAME, 0);
        assertThat(received()).isEqualTo(FRAME);
    }

    @Test
    void waitsForTheEndOfAPacket() {
        sender.data(Frames.part(FRAME, 0, 40), 0);
        sender.ring();
        assertThat(received()).isEmpty();
        assertThat(sender.queues.faults().stoppedTx()).isZero();
        sender.send(Frames.part(FRAME, 40, 100), 0);
        assertThat(received()).isEqualTo(FRAME);
    }

    @Test
    void padsWhatIsShorterThanAFrame() {
        sender.send(Frames.part(FRAME, 0, 17), 0);
        byte[] frame = received();
        assertThat(frame).hasSize(60).startsWith(Frames.part(FRAME, 0, 17));
        assertThat(Frames.part(frame, 17, 60)).containsOnly(0);
    }

    @Test
    void insertsTheTagOfTheDescriptor() {
        sender.send(FRAME, Tx.tag1(0x6005));
        byte[] tagged = Frames.join(Frames.part(FRAME, 0, 12), new byte[] {(byte) 0x81, 0, 0x60, 5}, Frames.part(FRAME, 12, 100));
        assertThat(received()).isEqualTo(tagged);
    }

    static Stream<Arguments> malicious() {
        long data = Tx.EOP | Tx.RS | 100L << 34;
        return Stream.of(
            Arguments.of(StopReason.BAD_DESCRIPTOR_TYPE, 0, new long[] {data | 8}),
            Arguments.of(StopReason.BAD_DESCRIPTOR_TYPE, 0, new long[] {data | 0xF}),
            Arguments.of(StopReason.EMPTY_BUFFER, 0, new long[] {Tx.EOP | Tx.RS}),
            Arguments.of(StopReason.BAD_PACKET_LENGTH, 0, new long[] {Tx.EOP | 16L << 34}),
            Arguments.of(StopReason.BAD_PACKET_LENGTH, 0, new long[] {Tx.EOP | 9729L << 34}),
            Arguments.of(StopReason.BAD_CONTEXT, 0, new long[] {Tx.CONTEXT, Tx.CONTEXT, data}),
            Arguments.of(StopReason.BAD_CONTEXT, 0, new long[] {100L << 34, Tx.CONTEXT, data}),
            Arguments.of(StopReason.TOO_MANY_BUFFERS, 8, new long[] {data}),
            Arguments.of(StopReason.BAD_SEGMENTATION, 0, new long[] {Tx.tso(46, 0), data | Tx.IPV4 | Tx.TCP | Tx.headers(14, 20, 20)}),
            Arguments.of(StopReason.BAD_SEGMENTATION, 0, new long[] {Tx.tso(46, 63), data | Tx.IPV4 | Tx.TCP | Tx.headers(14, 20, 20)}),
            Arguments.of(StopReason.BAD_SEGMENTATION, 0, new long[] {Tx.tso(46, 9669), data | Tx.IPV4 | Tx.TCP | Tx.headers(14, 20, 20)}),
            Arguments.of(StopReason.BAD_SEGMENTATION, 0, new long[] {Tx.tso(45, 64), data | Tx.IPV4 | Tx.TCP | Tx.headers(14, 20, 20)}),
            Arguments.of(StopReason.BAD_SEGMENTATION, 0, new long[] {Tx.tso(46, 64), data | Tx.TCP | Tx.headers(14, 20, 20)}),
            Arguments.of(StopReason.BAD_SEGMENTATION, 0, new long[] {Tx.tso(46, 64), data | Tx.IPV4 | Tx.headers(14, 20, 20)}),
            Arguments.of(StopReason.BAD_SEGMENTATION, 0, new long[] {Tx.tso(100, 64), data | Tx.IPV4 | Tx.TCP}),
            Arguments.of(StopReason.BAD_SEGMENTATION, 0, new long[] {Tx.tso(46, 64), data | Tx.IPV4 | Tx.TCP | Tx.headers(254, 508, 60)}));
    }

    @ParameterizedTest
    @MethodSource("malicious")
    void stopsTheQueueForWhatADriverMustNotDo(StopReason reason, int buffersBefore, long[] descriptors) {
        for (int i = 0; i < buffersBefore; i++) {
            sender.data(FRAME, 0);
        }
        for (long qw1 : descriptors) {
            sender.descriptor(TestVf.txBuffer(0), qw1);
        }
        sender.ring();
        QueueFaults faults = sender.queues.faults();
        assertThat(faults.last()).isEqualTo(reason);
        assertThat(faults.malicious()).isEqualTo(1);
        assertThat(faults.stoppedTx()).isEqualTo(1);
        sender.send(FRAME, 0);
        assertThat(received()).as("a stopped queue sends nothing").isEmpty();
        sender.queues.disable(0, 1);
        assertThat(sender.queues.enable(0, 1)).isTrue();
        sender.txTail = 0;
        sender.send(FRAME, 0);
        assertThat(received()).isEqualTo(FRAME);
        assertThat(sender.queues.faults().stoppedTx()).isZero();
    }

    @Test
    void stopsTheQueueForARingWithoutAnEndOfPacket() {
        sender.descriptor(0, Tx.tso(1000, 100));
        for (int i = 0; i < TestVf.RING - 2; i++) {
            sender.data(FRAME, 0);
        }
        sender.ring();
        assertThat(sender.queues.faults().last()).isEqualTo(StopReason.NO_END_OF_PACKET);
    }

    @Test
    void stopsTheQueueForATailBeyondTheRing() {
        sender.queues.tail(false, 0, TestVf.RING);
        sender.run();
        assertThat(sender.queues.faults().last()).isEqualTo(StopReason.BAD_TAIL);
    }

    @Test
    void stopsTheQueueWhoseRingCannotBeRead() {
        sender.memory.readable(iova -> iova >= TestVf.txBuffer(0));
        sender.send(FRAME, 0);
        assertThat(sender.queues.faults().last()).isEqualTo(StopReason.RING_UNREACHABLE);
        assertThat(sender.queues.faults().dmaFaults()).isEqualTo(1);
    }

    @Test
    void stopsTheQueueWhoseRingCannotBeWritten() {
        sender.memory.writable(iova -> false);
        sender.send(FRAME, 0);
        assertThat(sender.queues.faults().last()).isEqualTo(StopReason.RING_UNREACHABLE);
    }

    @Test
    void dropsAPacketThatCannotBeReadAndGoesOn() {
        int bad = sender.descriptor(0x123, Tx.EOP | Tx.RS | 100L << 34);
        int good = sender.send(FRAME, 0);
        assertThat(received()).isEqualTo(FRAME);
        assertThat(sender.done(bad) & 0xF).isEqualTo(0xF);
        assertThat(sender.done(good) & 0xF).isEqualTo(0xF);
        assertThat(sender.queues.counters().txErrors()).isEqualTo(1);
        assertThat(sender.queues.faults().dmaFaults()).isEqualTo(1);
        assertThat(sender.queues.faults().malicious()).isZero();
    }

    @Test
    void dropsAPacketWhoseHeadersDoNotFit() {
        sender.send(FRAME, Tx.IPV4_CHECKSUM | Tx.TCP | Tx.headers(14, 508, 20));
        sender.send(FRAME, Tx.IPV4_CHECKSUM | Tx.headers(14, 16, 0));
        sender.send(FRAME, Tx.IPV4 | Tx.TCP | Tx.headers(14, 68, 20));
        assertThat(received()).isEmpty();
        assertThat(sender.queues.counters().txErrors()).isEqualTo(3);
    }

    @Test
    void startsAtZeroWhenEnabledWhateverTheTailWas() {
        sender.send(FRAME, 0);
        received();
        sender.queues.disable(0, 1);
        assertThat(sender.queues.tail(false, 0)).isZero();
        sender.queues.tail(false, 0, 5);
        sender.run();
        assertThat(received()).as("a tail that is written while disabled is kept and does nothing").isEmpty();
        assertThat(sender.queues.tail(false, 0)).isEqualTo(5);
        assertThat(sender.queues.enable(0, 1)).isTrue();
        assertThat(sender.queues.tail(false, 0)).isZero();
        sender.run();
        assertThat(received()).isEmpty();
        sender.txTail = 0;
        sender.send(FRAME, 0);
        assertThat(received()).isEqualTo(FRAME);
    }

    @Test
    void sendsALapThatEndsAtATailItSawBefore() {
        long ring = TestMemory.BASE + 0x8000;
        for (int i = 0; i < 256; i++) {
            sender.memory.set(ring + i * 16L, TestVf.txBuffer(0));
            sender.memory.set(ring + i * 16L + 8, Tx.EOP | 100L << 34);
        }
        assertThat(sender.queues.configureTx(1, new TxSettings(ring, 256))).isTrue();
        assertThat(sender.queues.enable(0, 2)).isTrue();
        sender.queues.tail(false, 1, 1);
        sender.run();
        sender.queues.tail(false, 1, 101);
        sender.queues.run();
        long sent = sender.queues.counters().txUnicast();
        assertThat(sent).as("not all at once").isBetween(2L, 100L);
        sender.queues.tail(false, 1, 1);
        assertThat(sender.queues.rung()).isTrue();
        sender.run();
        assertThat(sender.queues.counters().txUnicast()).isEqualTo(257);
        assertThat(sender.queues.rung()).isFalse();
    }

    @Test
    void goesOnWhenEnabledTwice() {
        sender.send(FRAME, 0);
        assertThat(sender.queues.enable(0, 1)).isTrue();
        assertThat(sender.queues.tail(false, 0)).isEqualTo(1);
        assertThat(received()).isEqualTo(FRAME);
        sender.send(FRAME, 0);
        assertThat(received()).isEqualTo(FRAME);
    }

    @Test
    void refusesWhatHardwareRefuses() {
        QueuePairs queues = sender.queues;
        assertThat(queues.configureTx(0, TestVf.tx())).as("enabled").isFalse();
        assertThat(queues.configureTx(4, TestVf.tx())).isFalse();
        assertThat(queues.configureTx(-1, TestVf.tx())).isFalse();
        assertThat(queues.configureTx(1, new TxSettings(64, 64))).isFalse();
        assertThat(queues.configureTx(1, new TxSettings(0, 0))).isFalse();
        assertThat(queues.configureTx(1, new TxSettings(0, 60))).isFalse();
        assertThat(queues.configureTx(1, new TxSettings(0, 8168))).isFalse();
        assertThat(queues.configureTx(1, new TxSettings(-128, 64))).isFalse();
        assertThat(queues.enable(0, 2)).as("not configured").isFalse();
        assertThat(queues.enable(0, 1 << 4)).isFalse();
        assertThat(queues.configureTx(1, new TxSettings(-1024, 64))).isTrue();
        assertThat(queues.enable(0, 2)).isTrue();
    }

    @Test
    void sendsNothingWhileTheLinkIsDown() {
        sender.port.link(false);
        int at = sender.send(FRAME, 0);
        assertThat(sender.done(at) & 0xF).isEqualTo(0xF);
        assertThat(sender.queues.counters().txDiscards()).isEqualTo(1);
        assertThat(received()).isEmpty();
    }
}
