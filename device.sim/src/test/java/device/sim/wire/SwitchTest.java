// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SwitchTest {
    private static final long A = 0x5254_0000_0001L;
    private static final long B = 0x5254_0000_0002L;
    private static final long C = 0x5254_0000_0003L;
    private static final long STRANGER = 0x5254_0000_0009L;
    private static final long GROUP = 0x0100_5E00_0001L;

    private final Switch wire = new Switch(3);
    private final FrameRing[] rings = new FrameRing[3];
    private final AtomicInteger wakes = new AtomicInteger();
    private final MemorySegment memory = Arena.ofAuto().allocate(16384, 8);
    private final List<byte[]> up = new ArrayList<>();

    @BeforeEach
    void open() {
        for (int i = 0; i < 3; i++) {
            rings[i] = wire.port(i).open(wakes::incrementAndGet);
            wire.port(i).defaultAddress(A + i);
        }
    }

    private void connectUplink() {
        wire.uplink(new Uplink() {
            @Override
            public boolean send(MemorySegment from, long frame, int length) {
                up.add(from.asSlice(frame, length).toArray(ValueLayout.JAVA_BYTE));
                return true;
            }

            @Override
            public void close() {
            }
        });
    }

    private static byte[] frame(long to, long from) {
        byte[] frame = new byte[60];
        for (int i = 0; i < 6; i++) {
            frame[i] = (byte) (to >>> 40 - 8 * i);
            frame[6 + i] = (byte) (from >>> 40 - 8 * i);
        }
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xB5;
        for (int i = 14; i < 60; i++) {
            frame[i] = (byte) i;
        }
        return frame;
    }

    private static byte[] tagged(byte[] frame, int tag) {
        byte[] all = new byte[frame.length + 4];
        System.arraycopy(frame, 0, all, 0, 12);
        all[12] = (byte) 0x81;
        all[14] = (byte) (tag >>> 8);
        all[15] = (byte) tag;
        System.arraycopy(frame, 12, all, 16, frame.length - 12);
        return all;
    }

    private boolean send(int port, byte[] frame, int tag) {
        MemorySegment.copy(MemorySegment.ofArray(frame), 0, memory, 8, frame.length);
        return wire.port(port).transmit(memory, 8, frame.length, tag);
    }

    private boolean send(int port, long to) {
        return send(port, frame(to, A + port), Ethernet.UNTAGGED);
    }

    /// Takes what arrived everywhere; the ports that got something, in order.
    private List<Integer> arrived() {
        List<Integer> ports = new ArrayList<>();
        for (int i = 0; i < rings.length; i++) {
            for (long record = rings[i].first(); record != FrameRing.NONE; record = rings[i].first()) {
                ports.add(i);
                rings[i].release(record);
            }
        }
        return ports;
    }

    private int tagAt(int port) {
        return rings[port].tag(rings[port].first());
    }

    private byte[] frameAt(int port) {
        long record = rings[port].first();
        return rings[port].memory().asSlice(rings[port].frame(record), rings[port].length(record)).toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void sendsToTheOwnerAlone() {
        connectUplink();
        send(0, B);
        assertThat(frameAt(1)).isEqualTo(frame(B, A));
        assertThat(tagAt(1)).isEqualTo(Ethernet.UNTAGGED);
        assertThat(arrived()).containsExactly(1);
        assertThat(up).isEmpty();
        assertThat(wakes.get()).isEqualTo(1);
    }

    @Test
    void sendsToAllButTheSender() {
        connectUplink();
        send(1, Ethernet.BROADCAST);
        assertThat(arrived()).containsExactly(0, 2);
        assertThat(up).hasSize(1);
        wire.port(1).promiscuous(true, true);
        send(1, Ethernet.BROADCAST);
        send(1, B);
        assertThat(arrived()).as("never back").containsExactly(0, 2);
    }

    @Test
    void sendsAGroupToThoseThatWantIt() {
        wire.port(1).addAddress(GROUP);
        wire.port(2).promiscuous(false, true);
        send(0, GROUP);
        send(0, GROUP + 1);
        assertThat(arrived()).containsExactly(1, 2, 2);
        wire.port(1).removeAddress(GROUP);
        send(0, GROUP);
        assertThat(arrived()).containsExactly(2);
    }

    @Test
    void sendsStrangersUpAndToThoseThatTakeAll() {
        send(0, STRANGER);
        assertThat(arrived()).isEmpty();
        assertThat(wire.nowhere()).isEqualTo(1);
        connectUplink();
        wire.port(2).promiscuous(true, false);
        send(0, STRANGER);
        assertThat(arrived()).containsExactly(2);
        assertThat(up).hasSize(1);
        assertThat(up.getFirst()).isEqualTo(frame(STRANGER, A));
        assertThat(wire.toUplink()).isEqualTo(1);
    }

    @Test
    void takesFromTheUplinkAndSendsNothingBack() {
        connectUplink();
        MemorySegment.copy(MemorySegment.ofArray(frame(Ethernet.BROADCAST, STRANGER)), 0, memory, 8, 60);
        wire.receive(memory, 8, 60, Ethernet.UNTAGGED);
        assertThat(arrived()).containsExactly(0, 1, 2);
        assertThat(up).isEmpty();
        assertThat(wire.fromUplink()).isEqualTo(1);
    }

    @Test
    void keepsVlansApart() {
        wire.port(1).addVlan(5);
        wire.port(2).addVlan(4095);
        send(0, frame(Ethernet.BROADCAST, A), 0x2005);
        assertThat(tagAt(1)).isEqualTo(0x2005);
        assertThat(arrived()).containsExactly(1);
        send(0, tagged(frame(Ethernet.BROADCAST, A), 4095), Ethernet.UNTAGGED);
        assertThat(tagAt(2)).isEqualTo(4095);
        assertThat(frameAt(2)).as("held apart").isEqualTo(frame(Ethernet.BROADCAST, A));
        assertThat(arrived()).containsExactly(2);
        send(0, frame(Ethernet.BROADCAST, A), 0xE000);
        assertThat(arrived()).as("a priority is no VLAN").containsExactly(1, 2);
        wire.port(1).removeVlan(5);
        send(0, frame(Ethernet.BROADCAST, A), 77);
        assertThat(arrived()).as("without a list all are taken").containsExactly(1);
    }

    @Test
    void putsPortsIntoAVlan() {
        connectUplink();
        wire.port(0).portVlan(7);
        wire.port(1).portVlan(7);
        send(0, Ethernet.BROADCAST);
        assertThat(tagAt(1)).isEqualTo(Ethernet.UNTAGGED);
        assertThat(tagAt(2)).isEqualTo(7);
        assertThat(up.getFirst()).isEqualTo(tagged(frame(Ethernet.BROADCAST, A), 7));
        assertThat(arrived()).containsExactly(1, 2);
        assertThat(send(0, frame(B, A), 7)).as("with a tag of its own").isFalse();
        assertThat(send(0, tagged(frame(B, A), 7), Ethernet.UNTAGGED)).isFalse();
        assertThat(wire.port(0).counters().wrongVlan()).isEqualTo(2);
        send(2, B);
        assertThat(arrived()).as("from outside the VLAN").isEmpty();
        send(2, frame(B, C), 7);
        assertThat(arrived()).containsExactly(1);
    }

    @Test
    void dropsWhileALinkIsDown() {
        wire.port(1).link(false);
        send(0, B);
        assertThat(send(1, A)).isFalse();
        assertThat(arrived()).isEmpty();
        assertThat(wire.port(1).counters().linkDown()).isEqualTo(2);
        wire.port(1).link(true);
        send(0, B);
        assertThat(arrived()).containsExactly(1);
        wire.port(1).close();
        send(0, B);
        assertThat(arrived()).isEmpty();
    }

    @Test
    void dropsWhenARingIsFullWithoutHarmToOthers() {
        int sent = 0;
        while (wire.port(1).counters().full() == 0) {
            send(0, B);
            sent++;
            assertThat(sent).isLessThan(1_000_000);
        }
        assertThat(wire.port(1).counters().delivered()).isEqualTo(sent - 1);
        send(0, C);
        List<Integer> ports = arrived();
        assertThat(ports).hasSize(sent).endsWith(2);
        send(0, B);
        assertThat(arrived()).containsExactly(1);
    }

    @Test
    void boundsTheAddressesOfAPort() {
        Port port = wire.port(0);
        for (int i = 0; i < Port.MOST_ADDRESSES; i++) {
            assertThat(port.addAddress(0x0200_0000_0000L + i)).isTrue();
        }
        assertThat(port.addAddress(STRANGER)).isFalse();
        assertThat(port.addAddress(0x0200_0000_0000L)).as("one that is there").isTrue();
        port.reset();
        assertThat(port.addresses()).isEmpty();
        assertThat(port.defaultAddress()).isEqualTo(A);
    }

    @Test
    void keepsFramesOfAllSizesWholeAroundTheRing() {
        FrameRing ring = new FrameRing(1 << 16);
        int in = 0;
        int out = 0;
        for (int round = 0; round < 4000; round++) {
            int length = 60 + in * 37 % 9000;
            byte[] frame = new byte[length];
            Arrays.fill(frame, (byte) in);
            if (ring.offer(MemorySegment.ofArray(frame), 0, length, in, in)) {
                in++;
            } else {
                assertThat(out).isLessThan(in);
                checkAndRelease(ring, out++);
            }
        }
        while (out < in) {
            checkAndRelease(ring, out++);
        }
        assertThat(ring.isEmpty()).isTrue();
        assertThat(in).isGreaterThan(900);
    }

    private static void checkAndRelease(FrameRing ring, int number) {
        long record = ring.first();
        byte[] expected = new byte[60 + number * 37 % 9000];
        Arrays.fill(expected, (byte) number);
        assertThat(ring.tag(record)).isEqualTo(number);
        assertThat(ring.memory().asSlice(ring.frame(record), ring.length(record)).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
        ring.release(record);
    }
}
