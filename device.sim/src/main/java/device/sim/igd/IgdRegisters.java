// SPDX-License-Identifier: Apache-2.0
package device.sim.igd;

import device.sim.register.RegisterFile;
import device.sim.register.RegisterMap;
import java.util.Arrays;

/// What the registers in BAR 0 do. Guarded by the function's lock.
final class IgdRegisters extends RegisterFile {
    private static final int TAIL_MASK = 0x001F_FFF8;
    private static final int HEAD_MASK = 0xFFFF_FFFC;
    private static final int PAGE_MASK = 0xFFFF_F000;
    private static final int CTL_MASK = 0x001F_F001;

    private static final RegisterMap<IgdRegister> MAP = new RegisterMap<>(IgdRegister.class, IgdFunction.REGISTERS.size(),
        IgdRegister.RESERVED);

    private final IgdInterrupts interrupts;
    private final int[] values = new int[MAP.slots()];

    IgdRegisters(IgdInterrupts interrupts) {
        this.interrupts = interrupts;
    }

    void reset() {
        Arrays.fill(values, 0);
        interrupts.reset();
    }

    @Override
    public int read(int offset) {
        return peek(offset);
    }

    @Override
    public int peek(int offset) {
        IgdRegister register = MAP.at(offset);
        int index = MAP.index(register, offset);
        return switch (register) {
            case RING_TAIL, RING_HEAD, RING_START, RING_CTL, RING_HWS_PGA, FENCE_REG_GEN6_LO, FENCE_REG_GEN6_HI ->
                values[MAP.slot(register, index)];
            case GEN8_MASTER_IRQ -> interrupts.master();
            // Every interrupt here is an edge: none is ever seen standing.
            case GEN8_GT_ISR -> 0;
            case GEN8_GT_IMR -> interrupts.mask(index);
            case GEN8_GT_IIR -> interrupts.identity(index);
            case GEN8_GT_IER -> interrupts.enable(index);
            case RESERVED -> 0;
        };
    }

    @Override
    public void write(int offset, int value) {
        IgdRegister register = MAP.at(offset);
        int index = MAP.index(register, offset);
        switch (register) {
            case RING_TAIL -> keep(register, index, value & TAIL_MASK);
            case RING_HEAD -> keep(register, index, value & HEAD_MASK);
            case RING_START, RING_HWS_PGA -> keep(register, index, value & PAGE_MASK);
            case RING_CTL -> keep(register, index, value & CTL_MASK);
            case FENCE_REG_GEN6_LO, FENCE_REG_GEN6_HI -> keep(register, index, value);
            case GEN8_MASTER_IRQ -> interrupts.master(value);
            case GEN8_GT_ISR -> { }
            case GEN8_GT_IMR -> interrupts.mask(index, value);
            case GEN8_GT_IIR -> interrupts.clearIdentity(index, value);
            case GEN8_GT_IER -> interrupts.enable(index, value);
            case RESERVED -> { }
        }
    }

    @Override
    public void poke(int offset, int value) {
        IgdRegister register = MAP.at(offset);
        if (register == IgdRegister.GEN8_GT_IIR) {
            interrupts.come(MAP.index(register, offset), value);
        } else {
            write(offset, value);
        }
    }

    @Override
    protected int leftOut(int offset) {
        return MAP.at(offset) == IgdRegister.GEN8_GT_IIR ? 0 : peek(offset);
    }

    private void keep(IgdRegister register, int index, int value) {
        values[MAP.slot(register, index)] = value;
    }
}
