// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import static org.assertj.core.api.Assertions.assertThat;

import device.sim.wire.Ethernet;
import device.sim.wire.Switch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Vectors of "Verifying the RSS Hash Calculation" in Microsoft's documentation of network drivers.
class RssTest {
    private static final byte[] KEY = HexFormat.of().parseHex(
        "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa");
    private static final long ALL = -1;

    private Switch wire;
    private TestVf vf;

    @BeforeEach
    void bringUp() {
        wire = new Switch(1);
        vf = new TestVf(wire, 0).up();
    }

    private void arrive(String from, int fromPort, String to, int toPort, int protocol) throws UnknownHostException {
        byte[] source = InetAddress.getByName(from).getAddress();
        byte[] destination = InetAddress.getByName(to).getAddress();
        byte[] transport = Frames.tcp(1, 0x10, new byte[20]);
        Frames.number(transport, 0, fromPort);
        Frames.number(transport, 2, toPort);
        boolean v6 = source.length == 16;
        byte[] packet = v6 ? Frames.ipv6(protocol, transport) : Frames.ipv4(protocol, 1, transport);
        ByteBuffer.wrap(packet).put(v6 ? 8 : 12, source).put(v6 ? 24 : 16, destination);
        byte[] frame = Frames.ethernet(Frames.address(0), Frames.address(1), v6 ? 0x86DD : 0x0800, packet);
        MemorySegment memory = Arena.ofAuto().allocate(1024, 8);
        MemorySegment.copy(MemorySegment.ofArray(frame), 0, memory, 8, frame.length);
        wire.receive(memory, 8, frame.length, Ethernet.UNTAGGED);
        vf.run();
    }

    private int hash() {
        return (int) (vf.memory.get(TestVf.rxDescriptor(vf.rxNext)) >>> 32);
    }

    @ParameterizedTest
    @CsvSource({
        "66.9.149.187, 2794, 161.142.100.80, 1766, 323e8fc2, 51ccc178",
        "199.92.111.2, 14230, 65.69.140.83, 4739, d718262a, c626b0ea",
        "24.19.198.95, 12898, 12.22.207.184, 38024, d2d0a5de, 5c2b394a",
        "38.27.205.30, 48228, 209.142.163.6, 2217, 82989176, afc7327f",
        "153.39.163.191, 44251, 202.188.127.2, 1303, 5d1809c5, 10e828a2",
        "3ffe:2501:200:1fff::7, 2794, 3ffe:2501:200:3::1, 1766, 2cc18cd5, 40207d3d",
        "3ffe:501:8::260:97ff:fe40:efab, 14230, ff02::1, 4739, 0f0c461c, dde51bbf",
        "3ffe:1900:4545:3:200:f8ff:fe21:67cf, 44251, fe80::200:f8ff:fe21:67cf, 38024, 4b61e985, 02d1feef"})
    void hashesAsThePublishedVectorsSay(String from, int fromPort, String to, int toPort, String addresses, String ports)
            throws UnknownHostException {
        vf.queues.rss(KEY, new byte[64], ALL);
        arrive(from, fromPort, to, toPort, 6);
        assertThat(vf.status() >>> 12 & 3).isEqualTo(3);
        assertThat(hash()).isEqualTo((int) Long.parseLong(ports, 16));
        vf.receive();
        arrive(from, fromPort, to, toPort, 89);
        assertThat(hash()).isEqualTo((int) Long.parseLong(addresses, 16));
    }

    @Test
    void hashesOnlyWhatIsEnabled() throws UnknownHostException {
        vf.queues.rss(KEY, new byte[64], 1L << 33);
        arrive("10.0.0.1", 1, "10.0.0.2", 2, 89);
        assertThat(vf.status() >>> 12 & 3).isZero();
        assertThat(hash()).isZero();
        vf.receive();
        arrive("10.0.0.1", 1, "10.0.0.2", 2, 6);
        assertThat(vf.status() >>> 12 & 3).isEqualTo(3);
    }

    @Test
    void choosesTheQueueFromTheTable() throws UnknownHostException {
        long ring = TestMemory.BASE + 0x3_0000;
        for (int i = 0; i < 32; i++) {
            vf.memory.set(ring + i * 32L, TestMemory.BASE + 0x3_8000 + i * 0x800L);
        }
        vf.queues.tail(true, 3, 31);
        assertThat(vf.queues.configureRx(3, new RxSettings(ring, 32, 2048, 9728, 0, false))).isTrue();
        assertThat(vf.queues.map(3, true, 4, 0)).isTrue();
        assertThat(vf.queues.enable(8, 0)).isTrue();
        byte[] table = new byte[64];
        table[0x51ccc178 & 63] = 3;
        vf.queues.rss(KEY, table, ALL);
        arrive("66.9.149.187", 2794, "161.142.100.80", 1766, 6);
        assertThat(vf.memory.get(ring + 8) & 3).isEqualTo(3);
        assertThat(vf.events).containsExactly(4);
        Arrays.fill(table, (byte) 2);
        vf.queues.rss(KEY, table, ALL);
        arrive("66.9.149.187", 2794, "161.142.100.80", 1766, 6);
        assertThat(vf.queues.counters().rxDiscards()).as("a queue that is not enabled").isEqualTo(1);
    }
}
