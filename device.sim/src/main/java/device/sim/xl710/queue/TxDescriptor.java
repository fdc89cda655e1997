// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// Fields of a transmit descriptor, 16 bytes. Names after `i40e_type.h` of Intel's Linux driver; datasheet section "Transmit descriptors".
final class TxDescriptor {
    static final int SIZE = 16;

    static final int DTYPE_MASK = 0xF;
    static final int DTYPE_DATA = 0;
    static final int DTYPE_CONTEXT = 1;
    /// Written back into the second quadword.
    static final long DTYPE_DONE = 0xF;

    static final int CMD_SHIFT = 4;
    static final int CMD_MASK = 0x3FF;
    static final int EOP = 0x1;
    static final int RS = 0x2;
    static final int IL2TAG1 = 0x8;
    static final int IIPT_MASK = 0x60;
    static final int IIPT_IPV6 = 0x20;
    static final int IIPT_IPV4 = 0x40;
    static final int IIPT_IPV4_CSUM = 0x60;
    static final int L4T_MASK = 0x300;
    static final int L4T_TCP = 0x100;
    static final int L4T_SCTP = 0x200;
    static final int L4T_UDP = 0x300;

    private static final int MACLEN_SHIFT = 16;
    private static final int IPLEN_SHIFT = 23;
    private static final int L4LEN_SHIFT = 30;
    private static final int SIZE_SHIFT = 34;
    private static final int L2TAG1_SHIFT = 48;

    static final int CONTEXT_TSO = 0x1;
    static final int CONTEXT_IL2TAG2 = 0x4;
    private static final int CONTEXT_CMD_MASK = 0x7F;
    private static final int TLEN_SHIFT = 30;
    private static final int TLEN_MASK = 0x3FFFF;
    private static final int MSS_SHIFT = 50;
    private static final int L2TAG2_SHIFT = 32;

    private TxDescriptor() {
    }

    static int type(long qw1) {
        return (int) qw1 & DTYPE_MASK;
    }

    static int command(long qw1) {
        return (int) (qw1 >>> CMD_SHIFT) & CMD_MASK;
    }

    static int bufferSize(long qw1) {
        return (int) (qw1 >>> SIZE_SHIFT) & 0x3FFF;
    }

    /// Bytes of the link header.
    static int macLength(long qw1) {
        return ((int) (qw1 >>> MACLEN_SHIFT) & 0x7F) * 2;
    }

    /// Bytes of the network header.
    static int ipLength(long qw1) {
        return ((int) (qw1 >>> IPLEN_SHIFT) & 0x7F) * 4;
    }

    /// Bytes of the transport header.
    static int l4Length(long qw1) {
        return ((int) (qw1 >>> L4LEN_SHIFT) & 0xF) * 4;
    }

    static int tag1(long qw1) {
        return (int) (qw1 >>> L2TAG1_SHIFT) & 0xFFFF;
    }

    static int contextCommand(long qw1) {
        return (int) (qw1 >>> CMD_SHIFT) & CONTEXT_CMD_MASK;
    }

    /// Bytes behind the headers that are to be cut.
    static int segmentationLength(long qw1) {
        return (int) (qw1 >>> TLEN_SHIFT) & TLEN_MASK;
    }

    static int segmentSize(long qw1) {
        return (int) (qw1 >>> MSS_SHIFT) & 0x3FFF;
    }

    static int tag2(long qw0) {
        return (int) (qw0 >>> L2TAG2_SHIFT) & 0xFFFF;
    }
}
