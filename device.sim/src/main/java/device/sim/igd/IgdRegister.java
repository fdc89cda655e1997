// SPDX-License-Identifier: Apache-2.0
package device.sim.igd;

import device.sim.register.Register;

/// Registers in BAR 0 of a generation 9 graphics device. Names and offsets: `i915_reg.h` and `intel_engine_regs.h` of Linux's i915 driver;
/// those of an engine are the render engine's, whose base is 0x2000.
enum IgdRegister implements Register {
    /// Tail of the render ring.
    RING_TAIL(0x2030),
    /// Head of the render ring.
    RING_HEAD(0x2034),
    /// Start of the render ring.
    RING_START(0x2038),
    /// Length and enable of the render ring.
    RING_CTL(0x203C),
    /// Page of the hardware status.
    RING_HWS_PGA(0x2080),
    /// Enable of all interrupts, and which group has some.
    GEN8_MASTER_IRQ(0x44200),
    /// Level of the interrupts of group i.
    GEN8_GT_ISR(0x44300, 0x10, 4),
    /// Mask of the interrupts of group i.
    GEN8_GT_IMR(0x44304, 0x10, 4),
    /// Interrupts of group i that came; a written 1 clears.
    GEN8_GT_IIR(0x44308, 0x10, 4),
    /// Enable of the interrupts of group i.
    GEN8_GT_IER(0x4430C, 0x10, 4),
    /// Fence i, lower half.
    FENCE_REG_GEN6_LO(0x100000, 8, 32),
    /// Fence i, upper half.
    FENCE_REG_GEN6_HI(0x100004, 8, 32),
    /// Every other offset.
    RESERVED(0, 4, 0);

    private final int base;
    private final int stride;
    private final int count;

    IgdRegister(int base) {
        this(base, 4, 1);
    }

    IgdRegister(int base, int stride, int count) {
        this.base = base;
        this.stride = stride;
        this.count = count;
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
