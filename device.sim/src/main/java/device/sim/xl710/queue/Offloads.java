// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// What hardware does to the headers of a packet that is sent: checksums, and the headers of segments. It believes the lengths in the
/// descriptor, and looks at them only to stay within the packet. Drivers seed a checksum field with the sum of the pseudo header, with the
/// length for a whole packet and without it for one that is cut.
///
/// Confined to the engine's thread.
final class Offloads {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt LITTLE_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int ETHERNET = 14;
    private static final int IPV4 = 20;
    private static final int IPV4_LENGTH = 2;
    private static final int IPV4_ID = 4;
    private static final int IPV4_CHECKSUM = 10;
    private static final int IPV6 = 40;
    private static final int IPV6_LENGTH = 4;
    private static final int TCP = 20;
    private static final int TCP_SEQUENCE = 4;
    private static final int TCP_FLAGS = 13;
    private static final int TCP_CHECKSUM = 16;
    private static final int FIN = 0x01;
    private static final int PSH = 0x08;
    private static final int CWR = 0x80;
    private static final int UDP = 8;
    private static final int UDP_LENGTH = 4;
    private static final int UDP_CHECKSUM = 6;
    private static final int SCTP = 12;
    private static final int SCTP_CHECKSUM = 8;

    private final CRC32C crc32c = new CRC32C();
    private MemorySegment viewed = MemorySegment.NULL;
    private ByteBuffer view = ByteBuffer.allocate(0);
    private int macLength;
    private int ipLength;
    private int l4Length;
    private int ipType;
    private int l4Type;
    private int segments;
    private int firstId;
    private int firstSequence;
    private int flags;

    /// Takes what the packet's first data descriptor asks for.
    void take(long qw1) {
        int command = TxDescriptor.command(qw1);
        macLength = TxDescriptor.macLength(qw1);
        ipLength = TxDescriptor.ipLength(qw1);
        l4Length = TxDescriptor.l4Length(qw1);
        ipType = command & TxDescriptor.IIPT_MASK;
        l4Type = command & TxDescriptor.L4T_MASK;
    }

    int headerLength() {
        return macLength + ipLength + l4Length;
    }

    /// Whether a packet with these headers can be cut.
    boolean segmentable() {
        boolean l4 = l4Type == TxDescriptor.L4T_TCP && l4Length >= TCP || l4Type == TxDescriptor.L4T_UDP && l4Length == UDP;
        return l4 && macLength >= ETHERNET && (ipType == TxDescriptor.IIPT_IPV6 ? ipLength >= IPV6 : ipType != 0 && ipLength >= IPV4);
    }

    /// Puts in the checksums that were asked for.
    ///
    /// @return false when the headers do not fit the packet
    boolean apply(MemorySegment packet, long frame, int length) {
        if (ipType == TxDescriptor.IIPT_IPV4_CSUM) {
            if (ipLength < IPV4 || macLength + ipLength > length) {
                return false;
            }
            ipv4Checksum(packet, frame + macLength);
        }
        int start = macLength + ipLength;
        int least = leastTransport();
        if (start + least > length) {
            return false;
        }
        int count = transportLength(packet, frame, length, least);
        long at = frame + start;
        switch (l4Type) {
            case TxDescriptor.L4T_TCP -> Checksum.store(packet, at + TCP_CHECKSUM, Checksum.fold(Checksum.sum(packet, at, count, 0)));
            case TxDescriptor.L4T_UDP -> Checksum.storeUdp(packet, at + UDP_CHECKSUM, Checksum.fold(Checksum.sum(packet, at, count, 0)));
            case TxDescriptor.L4T_SCTP -> sctpChecksum(packet, at, count);
            default -> { }
        }
        return true;
    }

    private int leastTransport() {
        return switch (l4Type) {
            case TxDescriptor.L4T_TCP -> TCP;
            case TxDescriptor.L4T_UDP -> UDP;
            case TxDescriptor.L4T_SCTP -> SCTP;
            default -> 0;
        };
    }

    /// Bytes of the transport's part: as the network header says when that can be, else all that is left.
    private int transportLength(MemorySegment packet, long frame, int length, int least) {
        int start = macLength + ipLength;
        int said = -1;
        if (ipType == TxDescriptor.IIPT_IPV6 && ipLength >= IPV6) {
            said = IPV6 - ipLength + (packet.get(SHORT, frame + macLength + IPV6_LENGTH) & 0xFFFF);
        } else if (ipType != 0 && ipLength >= IPV4) {
            said = (packet.get(SHORT, frame + macLength + IPV4_LENGTH) & 0xFFFF) - ipLength;
        }
        return said >= least && said <= length - start ? said : length - start;
    }

    private void ipv4Checksum(MemorySegment packet, long ip) {
        packet.set(SHORT, ip + IPV4_CHECKSUM, (short) 0);
        Checksum.store(packet, ip + IPV4_CHECKSUM, Checksum.fold(Checksum.sum(packet, ip, ipLength, 0)));
    }

    private void sctpChecksum(MemorySegment packet, long at, int count) {
        if (viewed != packet) {
            viewed = packet;
            view = packet.asByteBuffer();
        }
        packet.set(LITTLE_INT, at + SCTP_CHECKSUM, 0);
        crc32c.reset();
        crc32c.update(view.limit((int) at + count).position((int) at));
        packet.set(LITTLE_INT, at + SCTP_CHECKSUM, (int) crc32c.getValue());
    }

    /// Notes what the headers of the segments start from.
    ///
    /// @return false when the packet is not of the kind that the descriptor says
    boolean beginSegments(MemorySegment packet, long frame, int length) {
        if (headerLength() > length) {
            return false;
        }
        long ip = frame + macLength;
        long l4 = ip + ipLength;
        segments = 0;
        firstId = packet.get(SHORT, ip + IPV4_ID) & 0xFFFF;
        firstSequence = l4Type == TxDescriptor.L4T_TCP ? packet.get(INT, l4 + TCP_SEQUENCE) : 0;
        flags = l4Type == TxDescriptor.L4T_TCP ? packet.get(ValueLayout.JAVA_BYTE, l4 + TCP_FLAGS) & 0xFF : 0;
        return true;
    }

    /// Makes the headers of a segment out of a copy of those of the packet.
    ///
    /// @param payload bytes behind the headers
    /// @param before bytes of payload in the segments before
    void segment(MemorySegment packet, long frame, int payload, int before, boolean last) {
        long ip = frame + macLength;
        long l4 = ip + ipLength;
        int transport = l4Length + payload;
        if (ipType == TxDescriptor.IIPT_IPV6) {
            packet.set(SHORT, ip + IPV6_LENGTH, (short) (ipLength - IPV6 + transport));
        } else {
            packet.set(SHORT, ip + IPV4_LENGTH, (short) (ipLength + transport));
            packet.set(SHORT, ip + IPV4_ID, (short) (firstId + segments));
            ipv4Checksum(packet, ip);
        }
        if (l4Type == TxDescriptor.L4T_TCP) {
            packet.set(INT, l4 + TCP_SEQUENCE, firstSequence + before);
            int cleared = (last ? 0 : FIN | PSH) | (segments == 0 ? 0 : CWR);
            packet.set(ValueLayout.JAVA_BYTE, l4 + TCP_FLAGS, (byte) (flags & ~cleared));
            long sum = Checksum.sum(packet, l4, transport, Checksum.number(transport));
            Checksum.store(packet, l4 + TCP_CHECKSUM, Checksum.fold(sum));
        } else {
            packet.set(SHORT, l4 + UDP_LENGTH, (short) transport);
            long sum = Checksum.sum(packet, l4, transport, Checksum.number(transport));
            Checksum.storeUdp(packet, l4 + UDP_CHECKSUM, Checksum.fold(sum));
        }
        segments++;
    }
}
