// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

/** {@code union iavf_32byte_rx_desc}, the legacy one: 32 bytes, four quad words, read and written back in other forms. */
final class RxDescLayout {
    static final int BYTES = 32;

    /** Read form: where the frame goes. */
    static final int PKT_ADDR = 0;
    /** Read form: 0, so that DD is not set. */
    static final int HDR_ADDR = 8;
    /** Write-back form: VLAN tag, hash. */
    static final int QWORD0 = 0;
    /** Write-back form: status, errors, type, length. */
    static final int STATUS_ERROR_LEN = 8;

    static final long STATUS_DD = 1;
    static final long STATUS_EOF = 1 << 1;
    static final long STATUS_L2TAG1P = 1 << 2;
    static final int FLTSTAT_SHIFT = 12;
    static final long FLTSTAT_MASK = 3;
    /** The hash is there. */
    static final long FLTSTAT_RSS_HASH = 3;
    static final int ERROR_SHIFT = 19;
    static final long ERROR_MASK = 0xFF;
    static final int PTYPE_SHIFT = 30;
    static final long PTYPE_MASK = 0xFF;
    static final int LENGTH_SHIFT = 38;
    static final long LENGTH_MASK = 0x3FFF;

    private RxDescLayout() {
    }
}
