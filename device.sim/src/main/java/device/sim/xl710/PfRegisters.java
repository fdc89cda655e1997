// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.register.RegisterFile;
import device.sim.register.RegisterMap;
import device.sim.xl710.mailbox.AdminQueues;
import java.util.BitSet;
import java.util.List;
import vfio.pci.api.PciAddress;

/// What the registers in BAR 0 of the physical function do. Guarded by the function's lock, and takes those of the virtual functions.
final class PfRegisters extends RegisterFile {
    private static final int VFSWR = 1;
    private static final int VFRD = 1;
    private static final int PFALLOC_LAST_SHIFT = 8;
    private static final int PFALLOC_VALID = 1 << 31;

    private static final RegisterMap<PfRegister> MAP = new RegisterMap<>(PfRegister.class, PfFunction.REGISTERS.size(),
        PfRegister.RESERVED);

    private final PciAddress address;
    private final List<VfModel> virtualFunctions;
    private final AdminQueues adminQueues;
    private final Runnable wake;
    private final BitSet held = new BitSet();

    /// @param wake told, with the lock held, that the admin queues' registers changed
    PfRegisters(PciAddress address, List<VfModel> virtualFunctions, AdminQueues adminQueues, Runnable wake) {
        this.address = address;
        this.virtualFunctions = List.copyOf(virtualFunctions);
        this.adminQueues = adminQueues;
        this.wake = wake;
    }

    /// First values. Virtual functions are left alone: hardware would take them away with a reset of their physical function, which here
    /// would mean that its driver could not be exchanged under a running guest.
    void reset() {
        held.clear();
        adminQueues.resetLocked();
        virtualFunctions.forEach(VfModel::releasedByPhysicalFunction);
    }

    @Override
    public int read(int offset) {
        return peek(offset);
    }

    @Override
    public int peek(int offset) {
        PfRegister register = MAP.at(offset);
        int index = MAP.index(register, offset);
        return switch (register) {
            case VFGEN_RSTAT1 -> exists(index) ? virtualFunctions.get(index).status() : 0;
            case VPGEN_VFRTRIG -> held.get(index) ? VFSWR : 0;
            case VPGEN_VFRSTAT -> exists(index) && virtualFunctions.get(index).resetDone() ? VFRD : 0;
            case GLGEN_VFLRSTAT -> functionLevelResets(index);
            case PF_ATQBAL, PF_ATQBAH, PF_ATQLEN, PF_ATQH, PF_ATQT -> adminQueues.transmit().read(register.ringRegister());
            case PF_ARQBAL, PF_ARQBAH, PF_ARQLEN, PF_ARQH, PF_ARQT -> adminQueues.receive().read(register.ringRegister());
            case VF_ATQBAL, VF_ARQBAL, VF_ATQBAH, VF_ARQBAH, VF_ATQLEN, VF_ARQLEN, VF_ATQH, VF_ARQH, VF_ATQT, VF_ARQT,
                VFINT_DYN_CTL0, VFINT_ICR0, VFINT_ICR0_ENA -> seen(index, register.virtual());
            case PF_FUNC_RID -> address.routingId();
            case PF_VT_PFALLOC -> virtualFunctions.isEmpty() ? 0
                : PFALLOC_VALID | virtualFunctions.size() - 1 << PFALLOC_LAST_SHIFT;
            case PFGEN_CTRL, PFGEN_PORTNUM, GLGEN_RSTAT -> 0;
            case RESERVED -> 0;
        };
    }

    @Override
    public void write(int offset, int value) {
        PfRegister register = MAP.at(offset);
        int index = MAP.index(register, offset);
        switch (register) {
            case VFGEN_RSTAT1 -> setStatus(index, value);
            case VPGEN_VFRTRIG -> trigger(index, (value & VFSWR) != 0);
            case GLGEN_VFLRSTAT -> acknowledge(index, value);
            // A reset of the physical function by itself: all that it clears is here.
            case PFGEN_CTRL -> {
                if ((value & 1) != 0) {
                    reset();
                }
            }
            case PF_ATQBAL, PF_ATQBAH, PF_ATQLEN, PF_ATQH, PF_ATQT -> {
                adminQueues.transmit().write(register.ringRegister(), value);
                wake.run();
            }
            case PF_ARQBAL, PF_ARQBAH, PF_ARQLEN, PF_ARQH, PF_ARQT -> {
                adminQueues.receive().write(register.ringRegister(), value);
                wake.run();
            }
            // A view of what virtual functions have.
            case VF_ATQBAL, VF_ARQBAL, VF_ATQBAH, VF_ARQBAH, VF_ATQLEN, VF_ARQLEN, VF_ATQH, VF_ARQH, VF_ATQT, VF_ARQT,
                VFINT_DYN_CTL0, VFINT_ICR0, VFINT_ICR0_ENA -> { }
            case VPGEN_VFRSTAT, PF_FUNC_RID, PFGEN_PORTNUM, PF_VT_PFALLOC, GLGEN_RSTAT -> { }
            case RESERVED -> { }
        }
    }

    @Override
    public void poke(int offset, int value) {
        write(offset, value);
    }

    @Override
    protected int leftOut(int offset) {
        return MAP.at(offset) == PfRegister.GLGEN_VFLRSTAT ? 0 : peek(offset);
    }

    private int seen(int vf, VfRegister register) {
        return exists(vf) ? virtualFunctions.get(vf).peek(register.base()) : 0;
    }

    private void setStatus(int vf, int value) {
        if (exists(vf)) {
            virtualFunctions.get(vf).status(value);
        }
    }

    private void trigger(int vf, boolean hold) {
        if (!exists(vf)) {
            return;
        }
        if (hold && !held.get(vf)) {
            virtualFunctions.get(vf).resetByPhysicalFunction();
        }
        held.set(vf, hold);
    }

    private int functionLevelResets(int word) {
        int bits = 0;
        for (int i = 0; i < Integer.SIZE && exists(word * Integer.SIZE + i); i++) {
            bits |= virtualFunctions.get(word * Integer.SIZE + i).functionLevelReset() ? 1 << i : 0;
        }
        return bits;
    }

    private void acknowledge(int word, int bits) {
        for (int i = 0; i < Integer.SIZE && exists(word * Integer.SIZE + i); i++) {
            if ((bits & 1 << i) != 0) {
                virtualFunctions.get(word * Integer.SIZE + i).acknowledgeFunctionLevelReset();
            }
        }
    }

    private boolean exists(int vf) {
        return vf < virtualFunctions.size();
    }
}
