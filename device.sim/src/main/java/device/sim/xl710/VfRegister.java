// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.register.Register;
import device.sim.xl710.mailbox.RingRegister;

/// BAR 0 of an XL710 virtual function, as the function itself sees it. Names and offsets: Intel Ethernet Controller X710/XXV710/XL710
/// Datasheet, "VF register space", and `iavf_register.h` of Intel's Linux driver.
enum VfRegister implements Register {
    /// Transmit tail by queue.
    QTX_TAIL1(0x0000, 4, 16),
    /// Receive tail by queue.
    QRX_TAIL1(0x2000, 4, 16),
    /// Interval of throttling index i of vector v + 1; index 16 i + v.
    VFINT_ITRN1(0x2800, 4, 48),
    /// Control of vector v + 1.
    VFINT_DYN_CTLN1(0x3800, 4, 16),
    /// Causes of vector 0.
    VFINT_ICR01(0x4800),
    /// Interval of throttling index i of vector 0.
    VFINT_ITR01(0x4C00, 4, 3),
    /// Enabled causes of vector 0.
    VFINT_ICR0_ENA1(0x5000),
    /// Throttling index of the other causes.
    VFINT_STAT_CTL01(0x5400),
    /// Control of vector 0.
    VFINT_DYN_CTL01(0x5C00),
    /// Receive mailbox queue, base high.
    VF_ARQBAH1(0x6000),
    /// Transmit mailbox queue, head.
    VF_ATQH1(0x6400),
    /// Transmit mailbox queue, length and enable.
    VF_ATQLEN1(0x6800),
    /// Receive mailbox queue, base low.
    VF_ARQBAL1(0x6C00),
    /// Receive mailbox queue, tail.
    VF_ARQT1(0x7000),
    /// Receive mailbox queue, head.
    VF_ARQH1(0x7400),
    /// Transmit mailbox queue, base high.
    VF_ATQBAH1(0x7800),
    /// Transmit mailbox queue, base low.
    VF_ATQBAL1(0x7C00),
    /// Receive mailbox queue, length and enable.
    VF_ARQLEN1(0x8000),
    /// Transmit mailbox queue, tail.
    VF_ATQT1(0x8400),
    /// How far a reset is.
    VFGEN_RSTAT(0x8800),
    /// Packet types that are hashed.
    VFQF_HENA(0xC400, 4, 2),
    /// Hash key.
    VFQF_HKEY(0xCC00, 4, 13),
    /// Hash look-up table.
    VFQF_HLUT(0xD000, 4, 16),
    /// Hash regions.
    VFQF_HREGION(0xD400, 4, 8),
    /// Error of the protocol engine.
    VFCM_PE_ERRINFO(0xD800),
    /// Data of that error.
    VFCM_PE_ERRDATA(0xDC00),
    /// Every other offset.
    RESERVED(0, 4, 0);

    private final int base;
    private final int stride;
    private final int count;

    VfRegister(int base) {
        this(base, 4, 1);
    }

    VfRegister(int base, int stride, int count) {
        this.base = base;
        this.stride = stride;
        this.count = count;
    }

    /// Which register of its ring a mailbox register is.
    ///
    /// @throws IllegalStateException for another register
    RingRegister ringRegister() {
        return switch (this) {
            case VF_ARQBAH1, VF_ATQBAH1 -> RingRegister.BAH;
            case VF_ARQBAL1, VF_ATQBAL1 -> RingRegister.BAL;
            case VF_ARQLEN1, VF_ATQLEN1 -> RingRegister.LEN;
            case VF_ARQH1, VF_ATQH1 -> RingRegister.HEAD;
            case VF_ARQT1, VF_ATQT1 -> RingRegister.TAIL;
            default -> throw new IllegalStateException("register=%s expected=one of the mailbox".formatted(this));
        };
    }

    @Override
    public int base() {
        return base;
    }

    @Override
    public int stride() {
        return stride;
    }

    @Override
    public int count() {
        return count;
    }
}
