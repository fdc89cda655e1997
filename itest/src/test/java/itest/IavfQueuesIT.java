// SPDX-License-Identifier: Apache-2.0
package itest;

import static org.assertj.core.api.Assertions.assertThat;

import itest.iavf.Doorbells;
import itest.iavf.DriverOptions;
import itest.iavf.IavfDriver;
import itest.iavf.PollLoop;
import itest.iavf.QueuePair;
import itest.iavf.RxRing;
import itest.iavf.Sequence;
import itest.iavf.Toeplitz;
import itest.iavf.TxRing;
import itest.iavf.UdpFlows;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import org.junit.Test;
import vfio.pci.api.VfioException;

/** Four queue pairs: what is sent on each arrives, a flow stays on one queue and in order, and the table decides which. */
public class IavfQueuesIT extends OnServedVfs {
    private static final int PAIRS = 4;
    private static final int FLOWS = 64;
    private static final int PER_FLOW = Boolean.getBoolean("vfio.nightly") ? 4000 : 200;
    /** Frames of all flows on their way: fewer than a ring has. */
    private static final int WINDOW = 256;
    private static final int BURST = 64;
    private static final Duration STANDSTILL = Duration.ofSeconds(30);

    @Test
    public void flowsSpreadOverTheQueues() throws Exception {
        spread(DriverOptions.DEFAULT.withQueuePairs(PAIRS));
    }

    @Test
    public void flowsSpreadOverTheQueuesOfDpdk() throws Exception {
        spread(DriverOptions.DEFAULT.withQueuePairs(PAIRS).with(Sequence.DPDK));
    }

    @Test
    public void flowsSpreadOverQueuesWithTrappedDoorbells() throws Exception {
        spread(DriverOptions.DEFAULT.withQueuePairs(PAIRS).with(Doorbells.POSTED));
    }

    private void spread(DriverOptions options) throws Exception {
        try (GuestVf sender = GuestVf.start(vfs.socket(SimulatedNic.VF0), options);
                GuestVf receiver = GuestVf.start(vfs.socket(SimulatedNic.VF1), options)) {
            var flows = new Flows(sender.driver(), receiver.driver());
            flows.exchange();
            for (int queue = 0; queue < PAIRS; queue++) {
                assertThat(flows.perQueue[queue]).as("frames on queue %d of %s", queue, Arrays.toString(flows.perQueue)).isPositive();
            }
            byte[] lut = new byte[receiver.driver().resources().rssLutSize()];
            Arrays.fill(lut, (byte) 2);
            receiver.driver().spread(lut);
            var onOne = new Flows(sender.driver(), receiver.driver());
            onOne.exchange();
            assertThat(onOne.perQueue).as("all go where the table says").containsExactly(0, 0, FLOWS * PER_FLOW, 0);
        }
    }

    /** One exchange of all flows, each flow sent on the queue of its number. */
    private static final class Flows implements RxRing.Receiver {
        private final IavfDriver from;
        private final IavfDriver to;
        private final UdpFlows writing;
        private final UdpFlows checking;
        private final int[] queueOf = new int[FLOWS];
        private final long[] next = new long[FLOWS];
        private final int[] perQueue = new int[PAIRS];
        private final byte[] key = Toeplitz.key();
        private int sent;
        private int arrived;

        Flows(IavfDriver from, IavfDriver to) {
            this.from = from;
            this.to = to;
            writing = new UdpFlows(from.mac(), to.mac());
            checking = new UdpFlows(from.mac(), to.mac());
            Arrays.fill(queueOf, -1);
        }

        void exchange() throws VfioException {
            new PollLoop(this::send, this::receive).until("all flows have arrived", STANDSTILL, () -> arrived == FLOWS * PER_FLOW);
        }

        private int send() throws VfioException {
            int added = 0;
            while (sent < FLOWS * PER_FLOW && sent - arrived < WINDOW && added < BURST) {
                int flow = sent % FLOWS;
                TxRing ring = from.pair(flow % PAIRS).tx();
                ring.add(writing.write(ring.memory(), ring.buffer(), flow, sent / FLOWS));
                sent++;
                added++;
            }
            for (QueuePair pair : from.pairs()) {
                pair.tx().kick();
                pair.tx().clean();
            }
            return added;
        }

        private int receive() throws VfioException {
            int taken = 0;
            for (QueuePair pair : to.pairs()) {
                taken += pair.rx().poll(this, BURST);
            }
            return taken;
        }

        @Override
        public void received(MemorySegment memory, long at, int bytes, boolean last, RxRing ring) {
            int flow = checking.flow(memory, at);
            assertThat(flow).as("flow").isBetween(0, FLOWS - 1);
            checking.check(memory, at, bytes, flow, next[flow]);
            next[flow]++;
            if (queueOf[flow] >= 0) {
                assertThat(ring.queue()).as("queue of flow %d, frame %d", flow, next[flow]).isEqualTo(queueOf[flow]);
            }
            queueOf[flow] = ring.queue();
            perQueue[ring.queue()]++;
            arrived++;
            assertThat(ring.hasHash()).as("the descriptor of flow %d has a hash", flow).isTrue();
            assertThat(ring.hash()).as("hash 0x%x of flow %d", ring.hash(), flow).isEqualTo(Toeplitz.hash(key, checking.hashed(flow)));
        }
    }
}
