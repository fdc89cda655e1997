// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DatagramUplinkTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final long OWN = 0x5254_0000_0001L;
    private static final long DEADLINE_NANOS = 20_000_000_000L;

    private final Switch wire = new Switch(1);
    private final MemorySegment memory = Arena.ofAuto().allocate(16384, 8);
    private FrameRing ring;
    private DatagramSocket peer;
    private DatagramUplink uplink;

    @BeforeEach
    void open() throws IOException {
        ring = wire.port(0).open(() -> { });
        wire.port(0).defaultAddress(OWN);
        peer = new DatagramSocket(new InetSocketAddress(LOOPBACK, 0));
        peer.setSoTimeout(20_000);
        uplink = DatagramUplink.open(wire, new InetSocketAddress(LOOPBACK, 0),
            new InetSocketAddress(LOOPBACK, peer.getLocalPort()));
        wire.uplink(uplink);
    }

    @AfterEach
    void close() {
        wire.close();
        peer.close();
    }

    private static byte[] frame(long to, int length) {
        byte[] frame = new byte[length];
        Arrays.fill(frame, (byte) 7);
        for (int i = 0; i < 6; i++) {
            frame[i] = (byte) (to >>> 40 - 8 * i);
        }
        return frame;
    }

    private byte[] next() {
        long deadline = System.nanoTime() + DEADLINE_NANOS;
        while (ring.isEmpty()) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.onSpinWait();
        }
        long record = ring.first();
        byte[] frame = ring.memory().asSlice(ring.frame(record), ring.length(record)).toArray(ValueLayout.JAVA_BYTE);
        ring.release(record);
        return frame;
    }

    private void sendToUs(byte[] bytes) throws IOException {
        peer.send(new DatagramPacket(bytes, bytes.length, uplink.localAddress()));
    }

    @Test
    void carriesAFrameEachWay() throws IOException {
        byte[] out = frame(0x5254_0000_0009L, 9728);
        MemorySegment.copy(MemorySegment.ofArray(out), 0, memory, 8, out.length);
        wire.port(0).transmit(memory, 8, out.length, Ethernet.UNTAGGED);
        DatagramPacket packet = new DatagramPacket(new byte[20_000], 20_000);
        peer.receive(packet);
        assertThat(Arrays.copyOf(packet.getData(), packet.getLength())).isEqualTo(out);
        sendToUs(frame(OWN, 1000));
        assertThat(next()).isEqualTo(frame(OWN, 1000));
    }

    @Test
    void dropsWhatIsNoFrameAndWhatIsNotFromThePeer() throws IOException {
        sendToUs(new byte[0]);
        sendToUs(frame(OWN, 13));
        sendToUs(frame(OWN, 9733));
        sendToUs(frame(OWN, 30_000));
        try (DatagramSocket stranger = new DatagramSocket(new InetSocketAddress(LOOPBACK, 0))) {
            stranger.send(new DatagramPacket(frame(OWN, 100), 100, uplink.localAddress()));
        }
        sendToUs(frame(OWN, 20));
        byte[] padded = Arrays.copyOf(frame(OWN, 20), 60);
        assertThat(next()).isEqualTo(padded);
        assertThat(ring.isEmpty()).isTrue();
    }

    @Test
    void goesOnWhenThePeerWasAway() throws IOException {
        int port = peer.getLocalPort();
        peer.close();
        byte[] out = frame(0x5254_0000_0009L, 100);
        for (int i = 0; i < 10; i++) {
            MemorySegment.copy(MemorySegment.ofArray(out), 0, memory, 8, out.length);
            wire.port(0).transmit(memory, 8, out.length, Ethernet.UNTAGGED);
        }
        peer = new DatagramSocket(new InetSocketAddress(LOOPBACK, port));
        sendToUs(frame(OWN, 100));
        assertThat(next()).isEqualTo(frame(OWN, 100));
    }

    @Test
    void endsItsThreadWhenClosed() {
        wire.close();
        wire.close();
        long deadline = System.nanoTime() + DEADLINE_NANOS;
        while (Thread.getAllStackTraces().keySet().stream().anyMatch(thread -> thread.getName().equals("uplink-udp"))) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }
}
