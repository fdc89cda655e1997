// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

/**
 * BAR0 of an XL710's virtual function, as its driver sees it. Names and numbers are those of {@code iavf_register.h} in Intel's driver
 * for Linux; registers have 32 bits.
 */
public enum IavfRegister {
    QTX_TAIL1(0x0000, 4, 16),
    QRX_TAIL1(0x2000, 4, 16),
    VFINT_DYN_CTLN1(0x3800, 4, 16),
    VFINT_ICR01(0x4800),
    VFINT_ICR0_ENA1(0x5000),
    VFINT_DYN_CTL01(0x5C00),
    ARQBAH1(0x6000),
    ATQH1(0x6400),
    ATQLEN1(0x6800),
    ARQBAL1(0x6C00),
    ARQT1(0x7000),
    ARQH1(0x7400),
    ATQBAH1(0x7800),
    ATQBAL1(0x7C00),
    ARQLEN1(0x8000),
    ATQT1(0x8400),
    VFGEN_RSTAT(0x8800),
    VFQF_HENA(0xC400, 4, 2),
    VFQF_HKEY(0xCC00, 4, 13),
    VFQF_HLUT(0xD000, 4, 16);

    /** In ATQLEN1 and ARQLEN1. */
    public static final int LEN_ENABLE = 1 << 31;
    /** In ATQLEN1 and ARQLEN1: VFE, OVFL and CRIT. */
    public static final int LEN_ERRORS = 7 << 28;
    /** In VFINT_ICR01 and VFINT_ICR0_ENA1. */
    public static final int ICR_ADMINQ = 1 << 30;
    /** In DYN_CTL: the vector may fire. */
    public static final int DYN_INTENA = 1;
    /** In DYN_CTL: what is pending is dropped. */
    public static final int DYN_CLEARPBA = 1 << 1;
    /** In DYN_CTL: fires by itself. */
    public static final int DYN_SWINT_TRIG = 1 << 2;
    /** In DYN_CTL: no interval is set by this write. */
    public static final int DYN_ITR_NONE = 3 << 3;
    /** In DYN_CTL: the interval, in units of 2 us. */
    public static final int DYN_INTERVAL_SHIFT = 5;
    /** In DYN_CTL: a software interrupt counts to the index of bits 25 and 26. */
    public static final int DYN_SW_ITR_INDX_ENA = 1 << 24;
    /** In DYN_CTL: descriptors are written back though the vector does not fire. */
    public static final int DYN_WB_ON_ITR = 1 << 30;
    /** In VFGEN_RSTAT. */
    public static final int RSTAT_MASK = 3;
    /** VFGEN_RSTAT: a reset has come to its end. */
    public static final int RSTAT_COMPLETED = 1;
    /** VFGEN_RSTAT: the function works. */
    public static final int RSTAT_VFACTIVE = 2;

    private final int offset;
    private final int stride;
    private final int count;

    IavfRegister(int offset) {
        this(offset, 4, 1);
    }

    IavfRegister(int offset, int stride, int count) {
        this.offset = offset;
        this.stride = stride;
        this.count = count;
    }

    /** Where it is, or the first of it. */
    public int offset() {
        return offset;
    }

    /** Where the one with that index is. */
    public int offset(int index) {
        if (index < 0 || index >= count) {
            throw new IndexOutOfBoundsException("register=%s index=%d count=%d".formatted(this, index, count));
        }
        return offset + index * stride;
    }

    /** How many there are. */
    public int count() {
        return count;
    }
}
