// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import device.sim.xl710.queue.TestVf.Tx;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/// Carries frames as the engines do, and looks at what their thread allocates.
class AllocationTest extends TwoVfs {
    private static final int FRAMES = 20_000;
    private static final int LEAST_ROUNDS = 5;

    AllocationTest() {
        receiver.queues.rss(new byte[52], new byte[64], -1);
    }

    @Test
    void allocatesNothingForAFrame() {
        byte[] tcp = Frames.tcp(1, 0x10, Frames.payload(400, 1));
        byte[] frame = Frames.ethernet(Frames.address(1), Frames.address(0), 0x0800, Frames.ipv4(6, 1, tcp));
        for (int i = 0; i < TestVf.RING; i++) {
            sender.memory.put(TestVf.txBuffer(i), frame);
            receiver.post(i);
        }
        long fields = Tx.EOP | Tx.RS | Tx.IPV4_CHECKSUM | Tx.TCP | Tx.headers(14, 20, 20) | (long) frame.length << 34;
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        // The first rounds are interpreted, and may allocate what compiled code does not.
        for (int round = 0; round < LEAST_ROUNDS || round < 100 && least > FRAMES; round++) {
            receiver.events.clear();
            sender.events.clear();
            long before = threads.getCurrentThreadAllocatedBytes();
            carry(fields);
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(receiver.queues.counters().rxUnicast()).isGreaterThanOrEqualTo(LEAST_ROUNDS * FRAMES);
        // The test's own events are boxed into a list that grows; less than a byte a frame is none for a frame.
        assertThat(least).isLessThan(FRAMES);
    }

    private void carry(long fields) {
        for (int i = 0; i < FRAMES; i += 16) {
            for (int j = 0; j < 16; j++) {
                sender.descriptor(TestVf.txBuffer(sender.txTail), fields);
            }
            sender.ring();
            receiver.run();
            for (int j = 0; j < 16; j++) {
                assertDone();
                receiver.post(receiver.rxNext);
                receiver.rxNext = (receiver.rxNext + 1) % TestVf.RING;
            }
            receiver.queues.tail(true, 0, (receiver.rxNext + TestVf.RING - 1) % TestVf.RING);
        }
    }

    private void assertDone() {
        if ((receiver.status() & 3) != 3) {
            throw new AssertionError("a frame did not arrive");
        }
    }
}
