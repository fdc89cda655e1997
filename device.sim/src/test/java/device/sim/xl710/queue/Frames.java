// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;

/// Frames as a simple implementation of its own makes and checks them: bytes in network order, one loop for a checksum.
final class Frames {
    private Frames() {
    }

    static long address(int port) {
        return 0x5254_0012_3400L + port;
    }

    /// Some bytes that depend on a seed.
    static byte[] payload(int length, int seed) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 7 + seed * 31 + (i >> 8));
        }
        return bytes;
    }

    /// Ethernet header and payload.
    static byte[] ethernet(long to, long from, int type, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(14 + payload.length);
        frame.putShort((short) (to >>> 32)).putInt((int) to).putShort((short) (from >>> 32)).putInt((int) from);
        return frame.putShort((short) type).put(payload).array();
    }

    /// IPv4 without options; checksum right.
    static byte[] ipv4(int protocol, int id, byte[] payload) {
        ByteBuffer packet = ByteBuffer.allocate(20 + payload.length);
        packet.put((byte) 0x45).put((byte) 0).putShort((short) (20 + payload.length)).putShort((short) id).putShort((short) 0x4000);
        packet.put((byte) 64).put((byte) protocol).putShort((short) 0).putInt(0x0A00_0001).putInt(0x0A00_0002);
        packet.putShort(10, (short) ~sum(packet.array(), 0, 20, 0));
        return packet.put(payload).array();
    }

    static byte[] ipv6(int next, byte[] payload) {
        ByteBuffer packet = ByteBuffer.allocate(40 + payload.length);
        packet.putInt(0x6000_0000).putShort((short) payload.length).put((byte) next).put((byte) 64);
        packet.putLong(0xFE80_0000_0000_0000L).putLong(1).putLong(0xFE80_0000_0000_0000L).putLong(2);
        return packet.put(payload).array();
    }

    /// TCP without options, checksum field 0.
    static byte[] tcp(int sequence, int flags, byte[] payload) {
        ByteBuffer segment = ByteBuffer.allocate(20 + payload.length);
        segment.putShort((short) 40000).putShort((short) 5001).putInt(sequence).putInt(77).put((byte) 0x50).put((byte) flags);
        return segment.putShort((short) 0xFFFF).putInt(0).put(payload).array();
    }

    /// UDP, checksum field 0.
    static byte[] udp(byte[] payload) {
        ByteBuffer datagram = ByteBuffer.allocate(8 + payload.length);
        return datagram.putShort((short) 40000).putShort((short) 5001).putShort((short) (8 + payload.length)).putShort((short) 0)
            .put(payload).array();
    }

    /// Sum of the pseudo header of a packet (RFC 793, RFC 8200), with or without the length.
    static int pseudo(byte[] packet, int protocol, int length) {
        boolean v4 = packet[0] >>> 4 == 4;
        return sum(packet, v4 ? 12 : 8, v4 ? 8 : 32, protocol + length);
    }

    /// Ones' complement sum of 16-bit words in network order (RFC 1071), folded.
    static int sum(byte[] bytes, int offset, int count, int start) {
        long sum = start;
        for (int i = 0; i < count; i++) {
            int octet = bytes[offset + i] & 0xFF;
            sum += i % 2 == 0 ? octet << 8 : octet;
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xFFFF) + (sum >>> 16);
        }
        return (int) sum;
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    static byte[] part(byte[] bytes, int from, int to) {
        return Arrays.copyOfRange(bytes, from, to);
    }

    static int number(byte[] bytes, int offset) {
        return ByteBuffer.wrap(bytes).getShort(offset) & 0xFFFF;
    }

    static void number(byte[] bytes, int offset, int value) {
        ByteBuffer.wrap(bytes).putShort(offset, (short) value);
    }

    /// A plain frame from one port to another, of at least 60 bytes.
    static byte[] plain(int to, int from, int length, int seed) {
        return ethernet(address(to), address(from), 0x88B5, payload(length - 14, seed));
    }
}
