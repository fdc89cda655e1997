// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.register.RegisterFile;
import device.sim.register.RegisterMap;
import device.sim.xl710.mailbox.AdminQueues;
import device.sim.xl710.mailbox.Ring;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
    private static final int LOOK_UP_MASK = 0x0F0F_0F0F;
    private static final int STAT_CTL_MASK = 0xC;

    private static final RegisterMap<VfRegister> MAP = new RegisterMap<>(VfRegister.class, VfFunction.REGISTERS_SIZE,
        VfRegister.RESERVED);

    private final VfInterrupts interrupts;
    private final VfThrottling throttling;
    private final VfDoorbells doorbells;
    private final Ring transmitMailbox;
    private final Ring receiveMailbox;
    private final int[] values = new int[MAP.slots()];
    private int resetStatus = VFACTIVE;

    /// @param throttling where intervals of queue vectors go besides, for a client that mapped them
    /// @param doorbells told of what a driver rings here
    VfRegisters(VfInterrupts interrupts, VfThrottling throttling, VfDoorbells doorbells, AdminQueues mailbox) {
        this.interrupts = interrupts;
        this.throttling = throttling;
        this.doorbells = doorbells;
        this.transmitMailbox = mailbox.transmit();
        this.receiveMailbox = mailbox.receive();
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
        doorbells.statusSet(resetStatus);
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
            case VF_ATQBAH1, VF_ATQBAL1, VF_ATQLEN1, VF_ATQH1, VF_ATQT1 -> transmitMailbox.read(register.ringRegister());
            case VF_ARQBAH1, VF_ARQBAL1, VF_ARQLEN1, VF_ARQH1, VF_ARQT1 -> receiveMailbox.read(register.ringRegister());
            // Tails and intervals come here only where they are not in lent memory.
            case QTX_TAIL1, QRX_TAIL1 -> doorbells.tail(register == VfRegister.QRX_TAIL1, index);
            case VFINT_ITRN1, VFINT_ITR01, VFINT_STAT_CTL01,
                VFQF_HENA, VFQF_HKEY, VFQF_HLUT, VFQF_HREGION -> values[MAP.slot(register, index)];
            case VFCM_PE_ERRINFO, VFCM_PE_ERRDATA -> 0;
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
            case VFINT_ITR01, VFINT_ITRN1 -> keep(register, index, value & DynCtl.INTERVAL_MASK);
            case VFINT_STAT_CTL01 -> keep(register, index, value & STAT_CTL_MASK);
            case VF_ATQBAH1, VF_ATQBAL1, VF_ATQLEN1, VF_ATQH1, VF_ATQT1 -> writeRing(transmitMailbox, register, value);
            case VF_ARQBAH1, VF_ARQBAL1, VF_ARQLEN1, VF_ARQH1, VF_ARQT1 -> writeRing(receiveMailbox, register, value);
            case VFQF_HREGION -> keep(register, index, value);
            case VFQF_HENA, VFQF_HKEY -> keepHash(register, index, value);
            case VFQF_HLUT -> keepHash(register, index, value & LOOK_UP_MASK);
            case QTX_TAIL1, QRX_TAIL1 -> doorbells.ring(register == VfRegister.QRX_TAIL1, index, value);
            // Read-only.
            case VFINT_ICR01, VFGEN_RSTAT, VFCM_PE_ERRINFO, VFCM_PE_ERRDATA -> { }
            case RESERVED -> { }
        }
    }

    /// A write only notes what the driver wants: memory is touched by the engine.
    private void writeRing(Ring ring, VfRegister register, int value) {
        ring.write(register.ringRegister(), value);
        doorbells.mailbox(register, value);
    }

    private void keepHash(VfRegister register, int index, int value) {
        keep(register, index, value);
        doorbells.hashChanged();
    }

    /// The registers of an array, little-endian, as a message brings them.
    byte[] bytes(VfRegister register) {
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * register.count()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < register.count(); i++) {
            bytes.putInt(values[MAP.slot(register, i)]);
        }
        return bytes.array();
    }

    /// Sets the registers of an array, as [#bytes] has them.
    void bytes(VfRegister register, byte[] bytes) {
        ByteBuffer from = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < register.count(); i++) {
            write(register.base() + i * register.stride(), from.getInt());
        }
    }

    /// All that is kept here and not by the vectors, the mailbox or the queues.
    int[] values() {
        return values.clone();
    }

    /// Takes over what another function's registers were. Rings nothing.
    void values(int[] taken) {
        System.arraycopy(taken, 0, values, 0, values.length);
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
                keep(VfRegister.VFINT_ITRN1, throttlingIndex * VfRegister.VFINT_DYN_CTLN1.count() + vector - 1, interval);
                throttling.interval(vector, throttlingIndex, interval);
            }
        }
        interrupts.writeControl(vector, value);
    }

    private void keep(VfRegister register, int index, int value) {
        values[MAP.slot(register, index)] = value;
    }
}
