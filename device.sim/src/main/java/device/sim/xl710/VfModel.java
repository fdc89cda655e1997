// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.function.DeviceModel;
import device.sim.function.MessageInterrupts;
import device.sim.function.MsixRegisters;
import java.util.List;
import java.util.Map;
import vfio.pci.api.Range;
import vfio.pci.api.function.InterruptKind;

/// A simulated virtual function: its register file, MSI-X table and interrupts, and the three ways it is reset.
final class VfModel extends DeviceModel {
    private static final int CONTROLS = 1 + VfRegister.VFINT_DYN_CTLN1.count();

    private final MessageInterrupts messages;
    private final VfRegisters registers;
    private final MsixRegisters msix;
    private boolean functionLevelReset;

    VfModel(int device) {
        this(device, new MessageInterrupts(InterruptKind.MSIX, VfFunction.MSIX_VECTORS));
    }

    private VfModel(int device, MessageInterrupts messages) {
        super(VfFunction.configSpace(device), messages);
        this.messages = messages;
        this.registers = new VfRegisters(new VfInterrupts(messages, CONTROLS), this::setInterval);
        this.msix = new MsixRegisters(messages, VfFunction.MSIX_PENDING);
        behind(VfFunction.REGISTERS, registers);
        behind(VfFunction.MSIX, msix);
    }

    /// The physical function resets this one (VPGEN_VFRTRIG): registers go back to their first values and the reset stays in progress until
    /// [#status(int)] says otherwise. Config space and MSI-X table are not touched.
    void resetByPhysicalFunction() {
        synchronized (lock()) {
            messages.reset();
            clearRegistersInMemoryLocked();
            registers.reset(VfRegisters.RESET_IN_PROGRESS);
        }
    }

    /// What VFGEN_RSTAT reads.
    int status() {
        synchronized (lock()) {
            return registers.resetStatus();
        }
    }

    /// Sets what VFGEN_RSTAT reads.
    void status(int status) {
        synchronized (lock()) {
            registers.resetStatus(status);
        }
    }

    /// Whether the function went through a function level reset that its physical function's driver has not acknowledged.
    boolean functionLevelReset() {
        synchronized (lock()) {
            return functionLevelReset;
        }
    }

    void acknowledgeFunctionLevelReset() {
        synchronized (lock()) {
            functionLevelReset = false;
        }
    }

    /// Function level reset. On hardware the physical function's driver brings the function back to active after about a tenth of a second;
    /// here it is active at once, so that it can be used without one. A driver notices the reset by ARQLEN1, whose enable bit is clear.
    @Override
    protected void resetRegistersLocked() {
        registers.reset(VfRegisters.VFACTIVE);
        msix.reset();
        functionLevelReset = true;
    }

    @Override
    protected Map<Integer, List<Range>> registersInMemory() {
        return Map.of(VfFunction.REGISTERS.index(), VfFunction.REGISTERS.memoryLike());
    }

    @Override
    protected boolean interruptLocked(int vector) {
        return messages.raise(vector);
    }

    private void setInterval(int index, int vector, int interval) {
        int perIndex = VfRegister.VFINT_DYN_CTLN1.count();
        int offset = VfRegister.VFINT_ITRN1.base() + Integer.BYTES * (index * perIndex + vector - 1);
        setInMemoryLocked(VfFunction.REGISTERS.index(), offset, interval);
    }
}
