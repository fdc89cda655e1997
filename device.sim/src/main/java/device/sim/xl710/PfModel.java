// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.configspace.ConfigSpace;
import device.sim.function.DeviceModel;
import device.sim.function.FrameRecording;
import device.sim.function.Lent;
import device.sim.function.MessageInterrupts;
import device.sim.function.MsixRegisters;
import device.sim.xl710.engine.DoorbellWatch;
import device.sim.xl710.engine.VfEngine;
import device.sim.xl710.mailbox.AdminQueues;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.Range;
import vfio.pci.api.function.InterruptKind;

/// The simulated physical function: registers, and an admin queue that is worked on by a thread of its own.
final class PfModel extends DeviceModel {
    private final MessageInterrupts messages;
    private final PfRegisters registers;
    private final MsixRegisters msix;
    private final LentDma dma = new LentDma();
    private final VfEngine engine;
    private final PfCommands commands;
    private final AdminQueues adminQueues;
    private final FrameRecording recording;
    private boolean attached;

    PfModel(PciAddress address, ConfigSpace config, List<VfModel> virtualFunctions, DoorbellWatch watch, FrameRecording recording) {
        this(address, config, virtualFunctions, watch, recording, new MessageInterrupts(InterruptKind.MSIX, PfFunction.MSIX_VECTORS));
    }

    private PfModel(PciAddress address, ConfigSpace config, List<VfModel> virtualFunctions, DoorbellWatch watch,
            FrameRecording recording, MessageInterrupts messages) {
        super(config, messages);
        this.recording = recording;
        this.messages = messages;
        this.engine = new VfEngine("xl710-" + address, watch);
        this.commands = new PfCommands(virtualFunctions);
        this.adminQueues = new AdminQueues(lock(), dma, commands, () -> { });
        this.registers = new PfRegisters(address, virtualFunctions, adminQueues, engine::wake);
        this.msix = new MsixRegisters(messages, PfFunction.MSIX_PENDING);
        engine.register(adminQueues::run);
        behind(PfFunction.REGISTERS, registers);
        behind(PfFunction.MSIX, msix);
    }

    @Override
    protected void resetRegistersLocked() {
        registers.reset();
        msix.reset();
        adminQueues.openLocked(false);
    }

    @Override
    protected void attachLocked(Lent lent) {
        attached = true;
        dma.attach(lent.dma());
        adminQueues.openLocked(true);
        engine.start();
    }

    @Override
    protected void detachLocked() {
        attached = false;
        dma.detach();
        engine.stop();
    }

    @Override
    protected void settle() {
        adminQueues.awaitIdle();
        commands.reset();
        synchronized (lock()) {
            adminQueues.openLocked(attached);
        }
    }

    @Override
    public Optional<FrameRecording> recording() {
        return Optional.of(recording);
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
