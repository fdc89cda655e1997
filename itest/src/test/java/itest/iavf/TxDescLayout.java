// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

/** {@code struct iavf_tx_desc}: 16 bytes, two quad words. */
final class TxDescLayout {
    static final int BYTES = 16;

    static final int BUFFER_ADDR = 0;
    static final int CMD_TYPE_OFFSET_BSZ = 8;

    static final long DTYPE_MASK = 0xF;
    /** What the device writes when it has done with the descriptor. */
    static final long DTYPE_DESC_DONE = 0xF;
    static final long CMD_EOP = 1L << 4;
    static final long CMD_RS = 2L << 4;
    /** Linux sets it in each descriptor. */
    static final long CMD_ICRC = 4L << 4;
    static final int OFFSET_SHIFT = 16;
    static final int BUF_SZ_SHIFT = 34;
    /** The most that one descriptor has. */
    static final int LARGEST_BUFFER = 0x3FFF;

    private TxDescLayout() {
    }
}
