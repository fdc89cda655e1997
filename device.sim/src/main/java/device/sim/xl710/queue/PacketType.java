// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// What a received frame can be: its number in the written-back descriptor (legacy types, `i40e_ptype_lookup` of Intel's Linux driver) and
/// the bits of HENA by which it is hashed (`i40e_filter_pctype`).
enum PacketType {
    OTHER(1, 0, false),
    ARP(11, 0, false),
    IPV4_FRAGMENT(22, 1L << 36, false),
    IPV4(23, 1L << 35, false),
    IPV4_UDP(24, 1L << 29 | 1L << 30 | 1L << 31, true),
    IPV4_TCP(26, 1L << 32 | 1L << 33, true),
    IPV4_SCTP(27, 1L << 34, true),
    IPV4_ICMP(28, 1L << 35, false),
    IPV6_FRAGMENT(88, 1L << 46, false),
    IPV6(89, 1L << 45, false),
    IPV6_UDP(90, 1L << 39 | 1L << 40 | 1L << 41, true),
    IPV6_TCP(92, 1L << 42 | 1L << 43, true),
    IPV6_SCTP(93, 1L << 44, true),
    IPV6_ICMP(94, 1L << 45, false);

    private final int number;
    private final long hashedBy;
    private final boolean ports;

    PacketType(int number, long hashedBy, boolean ports) {
        this.number = number;
        this.hashedBy = hashedBy;
        this.ports = ports;
    }

    /// In the descriptor.
    int number() {
        return number;
    }

    /// Bits of HENA, any of which has it hashed.
    long hashedBy() {
        return hashedBy;
    }

    /// Whether ports are hashed as well as addresses.
    boolean ports() {
        return ports;
    }
}
