// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.register.Register;

/// BAR 0 of the XL710 physical function: the registers by which its driver sees and resets virtual functions, and those that tell a
/// driver which function it is. Names and offsets: `i40e_register.h` of Intel's Linux driver.
enum PfRegister implements Register {
    /// VFGEN_RSTAT of virtual function i.
    VFGEN_RSTAT1(0x00074400, 128),
    /// Bit 0 set resets virtual function i and holds it there.
    VPGEN_VFRTRIG(0x00091800, 128),
    /// Bit 0: the reset of virtual function i is done.
    VPGEN_VFRSTAT(0x00091C00, 128),
    /// Bit 0 resets the physical function; clears itself.
    PFGEN_CTRL(0x00092400, 1),
    /// A bit per virtual function that went through a function level reset; a written 1 clears it.
    GLGEN_VFLRSTAT(0x00092600, 4),
    /// Bus, device and function number.
    PF_FUNC_RID(0x0009C000, 1),
    /// State of the whole device; 0 is ready.
    GLGEN_RSTAT(0x000B8188, 1),
    /// Which port this function is.
    PFGEN_PORTNUM(0x001C0480, 1),
    /// First and last virtual function, with a valid bit.
    PF_VT_PFALLOC(0x001C0500, 1),
    /// Every other offset.
    RESERVED(0, 0);

    private final int base;
    private final int count;

    PfRegister(int base, int count) {
        this.base = base;
        this.count = count;
    }

    @Override
    public int base() {
        return base;
    }

    @Override
    public int stride() {
        return Integer.BYTES;
    }

    @Override
    public int count() {
        return count;
    }
}
