// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.register.RegisterFile;
import device.sim.register.RegisterMap;
import java.util.Arrays;

/// What the registers in BAR 0 of a virtual function do. Guarded by the function's lock.
final class VfRegisters extends RegisterFile {
    /// VFGEN_RSTAT while a reset goes on.
    static final int RESET_IN_PROGRESS = 0;
    /// VFGEN_RSTAT when the physical function's driver may use the function.
    static final int RESET_COMPLETED = 1;
    /// VFGEN_RSTAT when the function is ready.
    static final int VFACTIVE = 2;

    private static final int RSTAT_MASK = 3;
    private static final int RING_INDEX_MASK = 0x3FF;
    private static final int RING_LENGTH_MASK = 0xF000_03FF;
    private static final int LOOK_UP_MASK = 0x0F0F_0F0F;
    private static final int STAT_CTL_MASK = 0xC;

    private static final RegisterMap<VfRegister> MAP = new RegisterMap<>(VfRegister.class, VfFunction.REGISTERS.size(),
        VfRegister.RESERVED);

    private final VfInterrupts interrupts;
    private final VfThrottling throttling;
    private final int[] values = new int[MAP.slots()];
    private int resetStatus = VFACTIVE;

    VfRegisters(VfInterrupts interrupts, VfThrottling throttling) {
        this.interrupts = interrupts;
        this.throttling = throttling;
    }

    /// Everything to its first value.
    ///
    /// @param status what VFGEN_RSTAT reads from now on
    void reset(int status) {
        Arrays.fill(values, 0);
        interrupts.reset();
        resetStatus = status & RSTAT_MASK;
    }

    int resetStatus() {
        return resetStatus;
    }

    void resetStatus(int status) {
        resetStatus = status & RSTAT_MASK;
    }

    @Override
    public int read(int offset) {
        return switch (MAP.at(offset)) {
            case VFINT_ICR01 -> interrupts.takeCauses();
            default -> peek(offset);
        };
    }

    @Override
    public int peek(int offset) {
        VfRegister register = MAP.at(offset);
        int index = MAP.index(register, offset);
        return switch (register) {
            case VFINT_DYN_CTL01 -> interrupts.control(0);
            case VFINT_DYN_CTLN1 -> interrupts.control(index + 1);
            case VFINT_ICR01 -> interrupts.causes();
            case VFINT_ICR0_ENA1 -> interrupts.enabledCauses();
            case VFGEN_RSTAT -> resetStatus;
            case VFINT_ITR01, VFINT_STAT_CTL01,
                VF_ARQBAH1, VF_ARQBAL1, VF_ARQLEN1, VF_ARQH1, VF_ARQT1,
                VF_ATQBAH1, VF_ATQBAL1, VF_ATQLEN1, VF_ATQH1, VF_ATQT1,
                VFQF_HENA, VFQF_HKEY, VFQF_HLUT, VFQF_HREGION -> values[MAP.slot(register, index)];
            case VFCM_PE_ERRINFO, VFCM_PE_ERRDATA -> 0;
            // In the lent memory; an access is served there and does not come here.
            case QTX_TAIL1, QRX_TAIL1, VFINT_ITRN1 -> 0;
            case RESERVED -> 0;
        };
    }

    @Override
    public void write(int offset, int value) {
        VfRegister register = MAP.at(offset);
        int index = MAP.index(register, offset);
        switch (register) {
            case VFINT_DYN_CTL01 -> writeControl(0, value);
            case VFINT_DYN_CTLN1 -> writeControl(index + 1, value);
            case VFINT_ICR0_ENA1 -> interrupts.writeEnabledCauses(value);
            case VFINT_ITR01 -> keep(register, index, value & DynCtl.INTERVAL_MASK);
            case VFINT_STAT_CTL01 -> keep(register, index, value & STAT_CTL_MASK);
            case VF_ARQBAH1, VF_ARQBAL1, VF_ATQBAH1, VF_ATQBAL1 -> keep(register, index, value);
            case VF_ARQLEN1, VF_ATQLEN1 -> keep(register, index, value & RING_LENGTH_MASK);
            case VF_ARQH1, VF_ARQT1, VF_ATQH1, VF_ATQT1 -> keep(register, index, value & RING_INDEX_MASK);
            case VFQF_HENA, VFQF_HKEY, VFQF_HREGION -> keep(register, index, value);
            case VFQF_HLUT -> keep(register, index, value & LOOK_UP_MASK);
            // Read-only.
            case VFINT_ICR01, VFGEN_RSTAT, VFCM_PE_ERRINFO, VFCM_PE_ERRDATA -> { }
            // In the lent memory; an access is served there and does not come here.
            case QTX_TAIL1, QRX_TAIL1, VFINT_ITRN1 -> { }
            case RESERVED -> { }
        }
    }

    @Override
    public void poke(int offset, int value) {
        VfRegister register = MAP.at(offset);
        int index = MAP.index(register, offset);
        switch (register) {
            case VFINT_ICR01 -> interrupts.pokeCauses(value);
            case VFINT_DYN_CTL01 -> interrupts.pokeControl(0, value);
            case VFINT_DYN_CTLN1 -> interrupts.pokeControl(index + 1, value);
            case VFGEN_RSTAT -> resetStatus(value);
            default -> write(offset, value);
        }
    }

    private void writeControl(int vector, int value) {
        int throttlingIndex = value >>> DynCtl.ITR_INDX_SHIFT & DynCtl.ITR_INDX_MASK;
        if (throttlingIndex != DynCtl.ITR_NONE) {
            int interval = value >>> DynCtl.INTERVAL_SHIFT & DynCtl.INTERVAL_MASK;
            if (vector == 0) {
                keep(VfRegister.VFINT_ITR01, throttlingIndex, interval);
            } else {
                throttling.set(throttlingIndex, vector, interval);
            }
        }
        interrupts.writeControl(vector, value);
    }

    private void keep(VfRegister register, int index, int value) {
        values[MAP.slot(register, index)] = value;
    }
}
