// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.register.Register;
import device.sim.xl710.mailbox.RingRegister;

/// BAR 0 of the XL710 physical function: the registers by which its driver sees and resets virtual functions, and those that tell a
/// driver which function it is. Names and offsets: `i40e_register.h` of Intel's Linux driver.
enum PfRegister implements Register {
    /// Admin queue for commands, base low.
    PF_ATQBAL(0x00080000, 1),
    /// Admin queue for events, base low.
    PF_ARQBAL(0x00080080, 1),
    /// Admin queue for commands, base high.
    PF_ATQBAH(0x00080100, 1),
    /// Admin queue for events, base high.
    PF_ARQBAH(0x00080180, 1),
    /// Admin queue for commands, length and enable.
    PF_ATQLEN(0x00080200, 1),
    /// Admin queue for events, length and enable.
    PF_ARQLEN(0x00080280, 1),
    /// Admin queue for commands, head.
    PF_ATQH(0x00080300, 1),
    /// Admin queue for events, head.
    PF_ARQH(0x00080380, 1),
    /// Admin queue for commands, tail.
    PF_ATQT(0x00080400, 1),
    /// Admin queue for events, tail.
    PF_ARQT(0x00080480, 1),
    /// VF_ATQBAL1 of virtual function i.
    VF_ATQBAL(0x00080800, 128),
    /// VF_ARQBAL1 of virtual function i.
    VF_ARQBAL(0x00080C00, 128),
    /// VF_ATQBAH1 of virtual function i.
    VF_ATQBAH(0x00081000, 128),
    /// VF_ARQBAH1 of virtual function i.
    VF_ARQBAH(0x00081400, 128),
    /// VF_ATQLEN1 of virtual function i.
    VF_ATQLEN(0x00081800, 128),
    /// VF_ARQLEN1 of virtual function i.
    VF_ARQLEN(0x00081C00, 128),
    /// VF_ATQH1 of virtual function i.
    VF_ATQH(0x00082000, 128),
    /// VF_ARQH1 of virtual function i.
    VF_ARQH(0x00082400, 128),
    /// VF_ATQT1 of virtual function i.
    VF_ATQT(0x00082800, 128),
    /// VF_ARQT1 of virtual function i.
    VF_ARQT(0x00082C00, 128),
    /// VFINT_DYN_CTL01 of virtual function i.
    VFINT_DYN_CTL0(0x0002A400, 128),
    /// VFINT_ICR01 of virtual function i; not cleared by reading it here.
    VFINT_ICR0(0x0002BC00, 128),
    /// VFINT_ICR0_ENA1 of virtual function i.
    VFINT_ICR0_ENA(0x0002C000, 128),
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

    /// Which register of its ring a register of the admin queues is.
    ///
    /// @throws IllegalStateException for another register
    RingRegister ringRegister() {
        return switch (this) {
            case PF_ATQBAH, PF_ARQBAH -> RingRegister.BAH;
            case PF_ATQBAL, PF_ARQBAL -> RingRegister.BAL;
            case PF_ATQLEN, PF_ARQLEN -> RingRegister.LEN;
            case PF_ATQH, PF_ARQH -> RingRegister.HEAD;
            case PF_ATQT, PF_ARQT -> RingRegister.TAIL;
            default -> throw new IllegalStateException("register=%s expected=one of the admin queues".formatted(this));
        };
    }

    /// The register of a virtual function that is seen here.
    ///
    /// @throws IllegalStateException for another register
    VfRegister virtual() {
        return switch (this) {
            case VF_ATQBAL -> VfRegister.VF_ATQBAL1;
            case VF_ARQBAL -> VfRegister.VF_ARQBAL1;
            case VF_ATQBAH -> VfRegister.VF_ATQBAH1;
            case VF_ARQBAH -> VfRegister.VF_ARQBAH1;
            case VF_ATQLEN -> VfRegister.VF_ATQLEN1;
            case VF_ARQLEN -> VfRegister.VF_ARQLEN1;
            case VF_ATQH -> VfRegister.VF_ATQH1;
            case VF_ARQH -> VfRegister.VF_ARQH1;
            case VF_ATQT -> VfRegister.VF_ATQT1;
            case VF_ARQT -> VfRegister.VF_ARQT1;
            case VFINT_DYN_CTL0 -> VfRegister.VFINT_DYN_CTL01;
            case VFINT_ICR0 -> VfRegister.VFINT_ICR01;
            case VFINT_ICR0_ENA -> VfRegister.VFINT_ICR0_ENA1;
            default -> throw new IllegalStateException("register=%s expected=one of a virtual function".formatted(this));
        };
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
