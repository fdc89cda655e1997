// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import device.sim.wire.Switch;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

class QueueStateTest {
    private Switch wire;
    private TestVf before;
    private TestVf peer;

    @BeforeEach
    void bringUp() {
        wire = new Switch(3);
        before = new TestVf(wire, 0).up();
        peer = new TestVf(wire, 1).up();
    }

    @Test
    void goesOnElsewhereAtTheSamePlace() throws VfioException {
        before.send(Frames.plain(1, 0, 100, 1), 0);
        peer.run();
        peer.receive();
        peer.send(Frames.plain(0, 1, 100, 2), 0);
        before.run();
        before.receive();
        before.queues.quiesce();
        before.send(Frames.plain(1, 0, 100, 3), 0);
        peer.run();
        assertThat(peer.receive()).as("quiesced").isEmpty();
        byte[] state = before.queues.save();

        TestVf after = new TestVf(wire, 2);
        after.port.defaultAddress(Frames.address(0));
        before.port.defaultAddress(0);
        MemorySegment.copy(before.memory.segment(), 0, after.memory.segment(), 0, TestMemory.SIZE);
        after.txTail = before.txTail;
        after.rxNext = before.rxNext;
        after.queues.quiesce();
        after.queues.load(state);
        assertThat(after.queues.save()).isEqualTo(state);
        after.run();
        assertThat(peer.receive()).isEmpty();
        after.queues.resume();
        after.run();
        peer.run();
        assertThat(peer.receive()).isEqualTo(Frames.plain(1, 0, 100, 3));
        assertThat(after.events).containsExactly(2);
        peer.send(Frames.plain(0, 1, 100, 4), 0);
        after.run();
        assertThat(after.receive()).isEqualTo(Frames.plain(0, 1, 100, 4));
    }

    @Test
    void refusesWhatWasNotSavedAndStaysAsItWas() {
        byte[] state = before.queues.save();
        QueuePairs queues = peer.queues;
        byte[] own = queues.save();
        for (int i = 0; i < state.length; i++) {
            byte[] cut = Arrays.copyOf(state, i);
            assertThatThrownBy(() -> queues.load(cut)).isInstanceOf(VfioException.class);
        }
        assertThatThrownBy(() -> queues.load(Arrays.copyOf(state, state.length + 1))).isInstanceOf(VfioException.class);
        byte[] badRing = state.clone();
        badRing[0] = 1;
        assertThatThrownBy(() -> queues.load(badRing)).hasMessageContaining("length=0x40");
        byte[] badHead = state.clone();
        badHead[14] = TestVf.RING;
        assertThatThrownBy(() -> queues.load(badHead)).hasMessageContaining("head=0x40");
        assertThat(queues.save()).isEqualTo(own);
    }

    @Test
    void isEmptyAfterAReset() {
        byte[] fresh = new TestVf(new Switch(1), 0).queues.save();
        before.queues.rss(new byte[52], new byte[64], -1);
        before.send(Frames.plain(1, 0, 100, 1), 0);
        before.queues.reset();
        assertThat(before.queues.save()).hasSameSizeAs(before.queues.save());
        byte[] reset = before.queues.save();
        assertThat(Arrays.copyOf(reset, 200)).isEqualTo(Arrays.copyOf(fresh, 200));
        assertThat(before.queues.enable(1, 0)).isFalse();
        before.send(Frames.plain(1, 0, 100, 2), 0);
        assertThat(before.done(1)).as("no memory is used").isNotEqualTo(0xF);
    }
}
