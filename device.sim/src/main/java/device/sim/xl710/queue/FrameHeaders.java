// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import device.sim.wire.Ethernet;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// What hardware sees in a received frame: its type, whether its checksums are right, and where that is which is hashed. A header that does
/// not fit the frame is not seen. Confined to the engine's thread.
final class FrameHeaders {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final int TYPE_ARP = 0x0806;
    private static final int TYPE_IPV4 = 0x0800;
    private static final int TYPE_IPV6 = 0x86DD;
    private static final int IPV4 = 20;
    private static final int IPV4_FRAGMENT_MASK = 0x3FFF;
    private static final int IPV6 = 40;
    private static final int HOP_BY_HOP = 0;
    private static final int ICMP = 1;
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int ROUTING = 43;
    private static final int FRAGMENT = 44;
    private static final int ICMPV6 = 58;
    private static final int DESTINATION_OPTIONS = 60;
    private static final int SCTP = 132;
    private static final int MOST_EXTENSIONS = 8;
    private static final int ALL_ONES = 0xFFFF;

    private MemorySegment memory = MemorySegment.NULL;
    private long end;
    private PacketType type = PacketType.OTHER;
    private long status;
    private long addresses;
    private int addressBytes;
    private long transport;

    /// Looks at a frame of at least 60 bytes.
    void parse(MemorySegment inMemory, long frame, int length) {
        memory = inMemory;
        end = frame + length;
        type = PacketType.OTHER;
        long destination = Ethernet.destination(memory, frame);
        status = (destination & Ethernet.GROUP_BIT) == 0 ? 0
            : destination == Ethernet.BROADCAST ? RxDescriptor.CAST_BROADCAST : RxDescriptor.CAST_MULTICAST;
        long network = frame + Ethernet.HEADER;
        int etherType = Ethernet.type(memory, frame);
        if (etherType == Ethernet.TYPE_VLAN) {
            etherType = number(network + 2);
            network += Ethernet.TAG;
        }
        switch (etherType) {
            case TYPE_ARP -> type = PacketType.ARP;
            case TYPE_IPV4 -> parseIpv4(network);
            case TYPE_IPV6 -> parseIpv6(network);
            default -> { }
        }
        status |= (long) type.number() << RxDescriptor.PTYPE_SHIFT;
    }

    /// Status, errors and type as they stand in the second quadword.
    long status() {
        return status;
    }

    PacketType type() {
        return type;
    }

    /// Where the source address is; the destination's follows it.
    long addresses() {
        return addresses;
    }

    /// Bytes of both addresses.
    int addressBytes() {
        return addressBytes;
    }

    /// Where the ports are.
    long transport() {
        return transport;
    }

    private void parseIpv4(long ip) {
        if (end - ip < IPV4 || octet(ip) >>> 4 != 4) {
            return;
        }
        int header = (octet(ip) & 0xF) * 4;
        int total = number(ip + 2);
        if (header < IPV4 || total < header || total > end - ip) {
            return;
        }
        addresses = ip + 12;
        addressBytes = 8;
        transport = ip + header;
        status |= RxDescriptor.L3L4P;
        if (Checksum.fold(Checksum.sum(memory, ip, header, 0)) != ALL_ONES) {
            status |= RxDescriptor.IPE;
        }
        if ((number(ip + 6) & IPV4_FRAGMENT_MASK) != 0) {
            type = PacketType.IPV4_FRAGMENT;
            return;
        }
        int protocol = octet(ip + 9);
        int bytes = total - header;
        type = switch (protocol) {
            case TCP -> bytes < 20 ? PacketType.IPV4 : PacketType.IPV4_TCP;
            case UDP -> bytes < 8 ? PacketType.IPV4 : PacketType.IPV4_UDP;
            case SCTP -> bytes < 12 ? PacketType.IPV4 : PacketType.IPV4_SCTP;
            case ICMP -> PacketType.IPV4_ICMP;
            default -> PacketType.IPV4;
        };
        checkTransport(protocol, bytes, type == PacketType.IPV4_UDP && number(transport + 6) == 0);
    }

    private void parseIpv6(long ip) {
        if (end - ip < IPV6 || octet(ip) >>> 4 != 6) {
            return;
        }
        long stop = ip + IPV6 + number(ip + 4);
        if (stop > end) {
            return;
        }
        addresses = ip + 8;
        addressBytes = 32;
        status |= RxDescriptor.L3L4P;
        transport = ip + IPV6;
        type = PacketType.IPV6;
        int next = octet(ip + 6);
        for (int i = 0; next == HOP_BY_HOP || next == ROUTING || next == DESTINATION_OPTIONS || next == FRAGMENT; i++) {
            status |= RxDescriptor.IPV6EXADD;
            if (i == MOST_EXTENSIONS || stop - transport < 8) {
                return;
            }
            if (next == FRAGMENT) {
                type = PacketType.IPV6_FRAGMENT;
                return;
            }
            next = octet(transport);
            transport += 8 + 8 * octet(transport + 1);
        }
        int bytes = (int) (stop - transport);
        type = switch (next) {
            case TCP -> bytes < 20 ? PacketType.IPV6 : PacketType.IPV6_TCP;
            case UDP -> bytes < 8 ? PacketType.IPV6 : PacketType.IPV6_UDP;
            case SCTP -> bytes < 12 ? PacketType.IPV6 : PacketType.IPV6_SCTP;
            case ICMPV6 -> PacketType.IPV6_ICMP;
            default -> PacketType.IPV6;
        };
        checkTransport(next, bytes, false);
    }

    /// Has the sums of TCP and UDP checked. Those of SCTP are left to the driver, which is told so by the missing L3L4P.
    private void checkTransport(int protocol, int bytes, boolean noChecksum) {
        switch (type) {
            case IPV4_TCP, IPV4_UDP, IPV6_TCP, IPV6_UDP -> {
                long sum = Checksum.number(protocol) + Checksum.number(bytes) + Checksum.number(bytes >>> 16);
                sum = Checksum.sum(memory, addresses, addressBytes, sum);
                if (!noChecksum && Checksum.fold(Checksum.sum(memory, transport, bytes, sum)) != ALL_ONES) {
                    status |= RxDescriptor.L4E;
                }
            }
            case IPV4_SCTP, IPV6_SCTP -> status &= ~RxDescriptor.L3L4P;
            default -> { }
        }
    }

    private int octet(long offset) {
        return memory.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
    }

    private int number(long offset) {
        return memory.get(SHORT, offset) & 0xFFFF;
    }
}
