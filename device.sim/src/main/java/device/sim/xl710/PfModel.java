// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.configspace.ConfigSpace;
import device.sim.function.DeviceModel;
import device.sim.function.MessageInterrupts;
import device.sim.function.MsixRegisters;
import java.util.List;
import java.util.Map;
import vfio.pci.api.PciAddress;
import vfio.pci.api.Range;
import vfio.pci.api.function.InterruptKind;

/// The simulated physical function.
final class PfModel extends DeviceModel {
    private final MessageInterrupts messages;
    private final PfRegisters registers;
    private final MsixRegisters msix;

    PfModel(PciAddress address, ConfigSpace config, List<VfModel> virtualFunctions) {
        this(address, config, virtualFunctions, new MessageInterrupts(InterruptKind.MSIX, PfFunction.MSIX_VECTORS));
    }

    private PfModel(PciAddress address, ConfigSpace config, List<VfModel> virtualFunctions, MessageInterrupts messages) {
        super(config, messages);
        this.messages = messages;
        this.registers = new PfRegisters(address, virtualFunctions);
        this.msix = new MsixRegisters(messages, PfFunction.MSIX_PENDING);
        behind(PfFunction.REGISTERS, registers);
        behind(PfFunction.MSIX, msix);
    }

    @Override
    protected void resetRegistersLocked() {
        registers.reset();
        msix.reset();
    }

    @Override
    protected Map<Integer, List<Range>> registersInMemory() {
        return Map.of();
    }

    @Override
    protected boolean interruptLocked(int vector) {
        return messages.raise(vector);
    }
}
