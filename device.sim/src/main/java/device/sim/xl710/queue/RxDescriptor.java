// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// Fields of a receive descriptor in its 32-byte legacy form. Names after `i40e_type.h` of Intel's Linux driver; datasheet section "Receive
/// descriptors".
final class RxDescriptor {
    static final int SIZE = 32;

    /// Offset of the quadword with status, type and length, which is written last.
    static final int QW1 = 8;

    static final int QW0_L2TAG1_SHIFT = 16;
    static final int QW0_RSS_SHIFT = 32;

    static final long DD = 1;
    static final long EOF = 1 << 1;
    static final long L2TAG1P = 1 << 2;
    static final long L3L4P = 1 << 3;
    static final long CRCP = 1 << 4;
    static final int CAST_SHIFT = 9;
    static final long CAST_MULTICAST = 1L << CAST_SHIFT;
    static final long CAST_BROADCAST = 2L << CAST_SHIFT;
    /// The first quadword has the RSS hash.
    static final long FLTSTAT_RSS = 3L << 12;
    static final long IPV6EXADD = 1L << 15;
    static final long RXE = 1L << 19;
    static final long IPE = 1L << 22;
    static final long L4E = 1L << 23;

    static final int PTYPE_SHIFT = 30;

    private static final int LENGTH_SHIFT = 38;

    private RxDescriptor() {
    }

    static long length(int bytes) {
        return (long) bytes << LENGTH_SHIFT;
    }
}
