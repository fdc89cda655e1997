// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import device.sim.wire.Port;
import device.sim.wire.Switch;
import device.sim.xl710.engine.DoorbellWatch;
import device.sim.xl710.engine.VfEngine;
import java.util.ArrayList;
import java.util.List;

/// The queues of one virtual function with a poll-mode driver for its first pair, in a memory of its own. The engine has no thread: a test
/// runs it by [#run()].
final class TestVf {
    static final int RING = 64;
    static final int BUFFER = 2048;
    static final int TAIL_RX = 0x2000;

    private static final long TX_RING = TestMemory.BASE;
    private static final long RX_RING = TestMemory.BASE + 0x2_0000;
    private static final long TX_BUFFERS = TestMemory.BASE + 0x10_0000;
    private static final long RX_BUFFERS = TestMemory.BASE + 0x20_0000;
    /// Far more than anything needs: a run that does not come to an end is a fault.
    private static final int MOST_TURNS = 10_000;

    final TestMemory memory = new TestMemory();
    final List<Integer> events = new ArrayList<>();
    final Port port;
    final QueuePairs queues;
    int txTail;
    int rxNext;

    TestVf(Switch wire, int index) {
        port = wire.port(index);
        port.defaultAddress(Frames.address(index));
        VfEngine engine = new VfEngine("test", new DoorbellWatch("test"));
        queues = new QueuePairs(() -> memory, port, (vector, indices) -> events.add(vector), engine);
    }

    static TxSettings tx() {
        return new TxSettings(TX_RING, RING);
    }

    static RxSettings rx() {
        return new RxSettings(RX_RING, RING, BUFFER, 9728, 0, false);
    }

    /// Queue pair 0 with all but one receive descriptor posted, on vectors 1 and 2.
    TestVf up() {
        return up(rx());
    }

    TestVf up(RxSettings settings) {
        for (int i = 0; i < settings.length(); i++) {
            post(i);
        }
        queues.tail(true, 0, settings.length() - 1);
        if (!queues.configureTx(0, tx()) || !queues.configureRx(0, settings) || !queues.map(0, true, 1, 0) || !queues.map(0, false, 2, 1)
            || !queues.enable(1, 1)) {
            throw new IllegalStateException("not configured");
        }
        return this;
    }

    void post(int rxIndex) {
        memory.set(rxDescriptor(rxIndex), rxBuffer(rxIndex));
        memory.set(rxDescriptor(rxIndex) + 8, 0);
    }

    static long rxBuffer(int index) {
        return RX_BUFFERS + (long) index * BUFFER;
    }

    static long txBuffer(int index) {
        return TX_BUFFERS + (long) index * 0x4000;
    }

    static long rxDescriptor(int index) {
        return RX_RING + index * 32L;
    }

    static long txDescriptor(int index) {
        return TX_RING + index * 16L;
    }

    /// Puts a descriptor behind the last one; the tail is not written.
    int descriptor(long qw0, long qw1) {
        int at = txTail;
        memory.set(txDescriptor(at), qw0);
        memory.set(txDescriptor(at) + 8, qw1);
        txTail = (txTail + 1) % RING;
        return at;
    }

    /// Puts data behind the last descriptor.
    int data(byte[] bytes, long fields) {
        int at = txTail;
        memory.put(txBuffer(at), bytes);
        return descriptor(txBuffer(at), fields | (long) bytes.length << 34);
    }

    /// Sends a frame of one buffer with EOP and RS, and runs.
    int send(byte[] frame, long fields) {
        int at = data(frame, fields | Tx.EOP | Tx.RS);
        ring();
        return at;
    }

    void ring() {
        queues.tail(false, 0, txTail);
        run();
    }

    void run() {
        for (int i = 0; i < MOST_TURNS; i++) {
            if (!queues.run()) {
                return;
            }
        }
        throw new AssertionError("the queues find work without end");
    }

    long done(int txIndex) {
        return memory.get(txDescriptor(txIndex) + 8);
    }

    /// The next frame that was received, its buffers posted again; empty when there is none.
    byte[] receive() {
        long status = memory.get(rxDescriptor(rxNext) + 8);
        if ((status & 1) == 0) {
            return new byte[0];
        }
        byte[] frame = memory.bytes(rxBuffer(rxNext), (int) (status >>> 38 & 0x3FFF));
        post(rxNext);
        queues.tail(true, 0, rxNext);
        rxNext = (rxNext + 1) % RING;
        return frame;
    }

    /// Second quadword of the next descriptor that is to be received.
    long status() {
        return memory.get(rxDescriptor(rxNext) + 8);
    }

    /// Fields of the second quadword of a transmit descriptor, as a driver writes them.
    static final class Tx {
        static final long EOP = 1L << 4;
        static final long RS = 2L << 4;
        static final long TAG1 = 8L << 4;
        static final long IPV6 = 0x20L << 4;
        static final long IPV4 = 0x40L << 4;
        static final long IPV4_CHECKSUM = 0x60L << 4;
        static final long TCP = 0x100L << 4;
        static final long SCTP = 0x200L << 4;
        static final long UDP = 0x300L << 4;
        static final long CONTEXT = 1;
        static final long TSO = 1L << 4;

        private Tx() {
        }

        /// Lengths in bytes.
        static long headers(int mac, int ip, int l4) {
            return (long) mac / 2 << 16 | (long) ip / 4 << 23 | (long) l4 / 4 << 30;
        }

        static long tso(int payload, int segment) {
            return CONTEXT | TSO | (long) payload << 30 | (long) segment << 50;
        }

        static long tag1(int tag) {
            return TAG1 | (long) tag << 48;
        }
    }
}
