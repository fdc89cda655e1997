// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

/// Bits of `VFINT_DYN_CTL01` and `VFINT_DYN_CTLN1`, and of the causes of vector 0.
final class DynCtl {
    /// The vector may send. Cleared when it has.
    static final int INTENA = 1;
    /// Written 1: forget what is pending.
    static final int CLEARPBA = 1 << 1;
    /// Written 1: raise a software interrupt.
    static final int SWINT_TRIG = 1 << 2;
    /// Which throttling interval INTERVAL sets; 3 is none.
    static final int ITR_INDX_SHIFT = 3;
    /// Width of ITR_INDX.
    static final int ITR_INDX_MASK = 3;
    /// ITR_INDX that sets none.
    static final int ITR_NONE = 3;
    /// The interval, in 2 microseconds.
    static final int INTERVAL_SHIFT = 5;
    /// Width of INTERVAL, and of a throttling register.
    static final int INTERVAL_MASK = 0xFFF;
    /// A software interrupt has the index in SW_ITR_INDX; else none.
    static final int SW_ITR_INDX_ENA = 1 << 24;
    /// Which throttling interval a software interrupt waits for.
    static final int SW_ITR_INDX_SHIFT = 25;
    /// Written 1: leave INTENA as it is.
    static final int INTENA_MSK = 1 << 31;
    /// Bits that read back as written: ITR_INDX, INTERVAL, SW_ITR_INDX_ENA, SW_ITR_INDX, WB_ON_ITR, INTENA_MSK.
    static final int KEPT = 0x3 << 3 | 0xFFF << 5 | SW_ITR_INDX_ENA | 0x3 << SW_ITR_INDX_SHIFT | 1 << 30 | INTENA_MSK;

    /// First of the causes in ICR01 that stand for queues served by vector 0.
    static final int ICR_QUEUE_SHIFT = 1;
    /// As many of them as there are.
    static final int ICR_QUEUES = 0xF;
    /// Cause in ICR01: the mailbox.
    static final int ICR_ADMINQ = 1 << 30;
    /// Cause in ICR01: a software interrupt. It has no enable.
    static final int ICR_SWINT = 1 << 31;
    /// Bits of ICR0_ENA1 that exist: link change, mailbox, and the reserved one.
    static final int ENA_MASK = 1 << 25 | 1 << 30 | 1 << 31;

    private DynCtl() {
    }
}
