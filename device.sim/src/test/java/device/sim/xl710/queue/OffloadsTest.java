// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import static org.assertj.core.api.Assertions.assertThat;

import device.sim.xl710.queue.TestVf.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What goes out is compared with what the plain implementation in [Frames] makes.
class OffloadsTest extends TwoVfs {
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int FIN_PSH_ACK_CWR = 0x01 | 0x08 | 0x10 | 0x80;

    private static byte[] network(boolean v6, int protocol, byte[] transport) {
        return v6 ? Frames.ipv6(protocol, transport) : Frames.ipv4(protocol, 0x1234, transport);
    }

    private static byte[] frame(boolean v6, byte[] packet) {
        return Frames.ethernet(Frames.address(1), Frames.address(0), v6 ? 0x86DD : 0x0800, packet);
    }

    /// A packet with its checksum right.
    private static byte[] summed(boolean v6, int protocol, byte[] transport) {
        byte[] packet = network(v6, protocol, transport);
        int header = v6 ? 40 : 20;
        int sum = Frames.sum(packet, header, transport.length, Frames.pseudo(packet, protocol, transport.length));
        int field = header + (protocol == TCP ? 16 : 6);
        Frames.number(packet, field, protocol == UDP && sum == 0xFFFF ? 0xFFFF : ~sum);
        return packet;
    }

    /// The same as a driver leaves it to the hardware.
    private static byte[] seeded(boolean v6, int protocol, byte[] transport, int pseudoLength) {
        byte[] packet = network(v6, protocol, transport);
        int field = (v6 ? 40 : 20) + (protocol == TCP ? 16 : 6);
        Frames.number(packet, field, Frames.pseudo(packet, protocol, pseudoLength));
        if (!v6) {
            Frames.number(packet, 10, 0);
        }
        return packet;
    }

    private static long fields(boolean v6, int protocol, int l4) {
        return (v6 ? Tx.IPV6 : Tx.IPV4_CHECKSUM) | (protocol == TCP ? Tx.TCP : Tx.UDP) | Tx.headers(14, v6 ? 40 : 20, l4);
    }

    @ParameterizedTest
    @ValueSource(ints = {6, 7, 1000, 1459})
    void insertsTheChecksumOfTcp(int length) {
        for (boolean v6 : new boolean[] {false, true}) {
            byte[] transport = Frames.tcp(1, 0x10, Frames.payload(length, 1));
            sender.send(frame(v6, seeded(v6, TCP, transport, transport.length)), fields(v6, TCP, 20));
            assertThat(received()).isEqualTo(frame(v6, summed(v6, TCP, transport)));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {18, 19, 1000, 1471})
    void insertsTheChecksumOfUdp(int length) {
        for (boolean v6 : new boolean[] {false, true}) {
            byte[] transport = Frames.udp(Frames.payload(length, 1));
            sender.send(frame(v6, seeded(v6, UDP, transport, transport.length)), fields(v6, UDP, 8));
            assertThat(received()).isEqualTo(frame(v6, summed(v6, UDP, transport)));
        }
    }

    @Test
    void writesAllOnesForAUdpSumOfZero() {
        byte[] payload = Frames.payload(20, 1);
        byte[] packet = network(false, UDP, Frames.udp(payload));
        int sum = Frames.sum(packet, 20, 28, Frames.pseudo(packet, UDP, 28));
        // The last word makes the whole sum all ones, whose complement is 0.
        int last = Frames.number(payload, 18);
        Frames.number(payload, 18, Frames.sum(new byte[0], 0, 0, last + (~sum & 0xFFFF)));
        byte[] transport = Frames.udp(payload);
        sender.send(frame(false, seeded(false, UDP, transport, 28)), fields(false, UDP, 8));
        byte[] frame = received();
        assertThat(Frames.number(frame, 40)).isEqualTo(0xFFFF);
        assertThat(frame).isEqualTo(frame(false, summed(false, UDP, transport)));
    }

    @Test
    void insertsTheChecksumOfIpv4Alone() {
        byte[] packet = Frames.ipv4(89, 7, Frames.payload(60, 2));
        byte[] unsummed = packet.clone();
        Frames.number(unsummed, 10, 0xBAD);
        sender.send(frame(false, unsummed), Tx.IPV4_CHECKSUM | Tx.headers(14, 20, 0));
        assertThat(received()).isEqualTo(frame(false, packet));
    }

    @Test
    void doesNotSumWhatIsBehindThePacket() {
        byte[] transport = Frames.tcp(1, 0x10, Frames.payload(6, 1));
        byte[] padding = Frames.payload(40, 9);
        sender.send(frame(false, Frames.join(seeded(false, TCP, transport, 26), padding)), fields(false, TCP, 20));
        assertThat(received()).isEqualTo(frame(false, Frames.join(summed(false, TCP, transport), padding)));
    }

    @Test
    void insertsTheChecksumOfSctp() {
        byte[] transport = Frames.join(new byte[12], Frames.payload(80, 3));
        byte[] packet = Frames.ipv4(132, 1, transport);
        sender.send(frame(false, packet), Tx.IPV4 | Tx.SCTP | Tx.headers(14, 20, 12));
        CRC32C crc = new CRC32C();
        crc.update(transport);
        int value = Integer.reverseBytes((int) crc.getValue());
        Frames.number(packet, 28, value >>> 16);
        Frames.number(packet, 30, value);
        assertThat(received()).isEqualTo(frame(false, packet));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 64, 536, 1460, 5 * 1460, 10_000, 65_000})
    void cutsTcpIntoSegments(int length) {
        for (boolean v6 : new boolean[] {false, true}) {
            for (int segment : new int[] {64, 536, 1440, 8960}) {
                if (length / segment < TestVf.RING - 1) {
                    cut(v6, length, segment);
                }
            }
        }
    }

    private void cut(boolean v6, int length, int segment) {
        byte[] data = Frames.payload(length, segment);
        byte[] headers = frame(v6, seeded(v6, TCP, Frames.tcp(0xFFFF_FF00, FIN_PSH_ACK_CWR, new byte[0]), 0));
        sender.descriptor(0, Tx.tso(length, segment));
        long fields = fields(v6, TCP, 20);
        sender.data(headers, fields);
        int last = 0;
        for (int at = 0; at < length; at += 12_288) {
            int end = Math.min(length, at + 12_288);
            last = sender.data(Frames.part(data, at, end), end == length ? fields | Tx.EOP | Tx.RS : fields);
        }
        sender.ring();
        assertThat(sender.queues.faults().last()).isEqualTo(StopReason.NONE);
        assertThat(sender.done(last) & 0xF).isEqualTo(0xF);
        assertThat(segments(length, segment)).usingElementComparator((a, b) -> java.util.Arrays.compare(a, b))
            .containsExactlyElementsOf(expected(v6, data, segment));
    }

    private List<byte[]> segments(int length, int segment) {
        List<byte[]> all = new ArrayList<>();
        for (int i = 0; i < (length + segment - 1) / segment; i++) {
            receiver.run();
            all.add(reassembled());
        }
        assertThat(received()).isEmpty();
        return all;
    }

    /// A frame may span several of the receiver's buffers.
    private byte[] reassembled() {
        byte[] frame = new byte[0];
        boolean end = false;
        while (!end && (receiver.status() & 1) != 0) {
            end = (receiver.status() & 2) != 0;
            frame = Frames.join(frame, receiver.receive());
        }
        return frame;
    }

    private static List<byte[]> expected(boolean v6, byte[] data, int segment) {
        List<byte[]> all = new ArrayList<>();
        for (int at = 0; at < data.length; at += segment) {
            int end = Math.min(data.length, at + segment);
            int flags = 0x10 | (at == 0 ? 0x80 : 0) | (end == data.length ? 0x09 : 0);
            byte[] transport = Frames.tcp(0xFFFF_FF00 + at, flags, Frames.part(data, at, end));
            byte[] packet = summed(v6, TCP, transport);
            if (!v6) {
                Frames.number(packet, 4, 0x1234 + at / segment);
                Frames.number(packet, 10, 0);
                Frames.number(packet, 10, ~Frames.sum(packet, 0, 20, 0));
            }
            byte[] frame = frame(v6, packet);
            all.add(frame.length < 60 ? java.util.Arrays.copyOf(frame, 60) : frame);
        }
        return all;
    }

    @Test
    void putsTheTagIntoEachSegment() {
        byte[] data = Frames.payload(3000, 1);
        byte[] headers = frame(false, seeded(false, TCP, Frames.tcp(1, 0x10, new byte[0]), 0));
        sender.descriptor(0, Tx.tso(3000, 1000));
        sender.send(Frames.join(headers, data), fields(false, TCP, 20) | Tx.tag1(9));
        for (int i = 0; i < 3; i++) {
            byte[] frame = received();
            assertThat(frame).hasSize(1058);
            assertThat(Frames.number(frame, 12)).isEqualTo(0x8100);
            assertThat(Frames.number(frame, 14)).isEqualTo(9);
            assertThat(Frames.part(frame, 58, 1058)).isEqualTo(Frames.part(data, i * 1000, i * 1000 + 1000));
        }
    }

    @Test
    void cutsDatagrams() {
        byte[] data = Frames.payload(2500, 1);
        byte[] headers = frame(true, seeded(true, UDP, Frames.udp(new byte[0]), 0));
        sender.descriptor(0, Tx.tso(2500, 1000));
        sender.send(Frames.join(headers, data), fields(true, UDP, 8));
        for (int i = 0; i < 3; i++) {
            byte[] part = Frames.part(data, i * 1000, Math.min(2500, i * 1000 + 1000));
            assertThat(received()).isEqualTo(frame(true, summed(true, UDP, Frames.udp(part))));
        }
    }

    @Test
    void stopsTheQueueForASegmentOfTooManyBuffers() {
        byte[] headers = frame(false, seeded(false, TCP, Frames.tcp(1, 0x10, new byte[0]), 0));
        sender.descriptor(0, Tx.tso(2000, 1000));
        sender.data(headers, fields(false, TCP, 20));
        for (int i = 0; i < 20; i++) {
            sender.data(new byte[100], i == 19 ? Tx.EOP : 0);
        }
        sender.ring();
        assertThat(sender.queues.faults().last()).isEqualTo(StopReason.TOO_MANY_BUFFERS);
    }
}
