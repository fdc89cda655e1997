// SPDX-License-Identifier: Apache-2.0
package device.sim.igd;

import device.sim.function.DeviceModel;
import device.sim.function.Lent;
import device.sim.function.MessageInterrupts;
import device.sim.register.ReservedRegisters;
import java.util.List;
import java.util.Map;
import vfio.pci.api.Range;
import vfio.pci.api.function.InterruptKind;

/// A simulated graphics device.
final class IgdModel extends DeviceModel {
    private final IgdInterrupts interrupts;
    private final IgdRegisters registers;
    private final IndexedAccess ports;

    IgdModel(int device, long apertureSize) {
        this(device, apertureSize, new MessageInterrupts(InterruptKind.MSI, 1));
    }

    private IgdModel(int device, long apertureSize, MessageInterrupts messages) {
        super(IgdFunction.configSpace(device, apertureSize), messages);
        this.interrupts = new IgdInterrupts(messages);
        this.registers = new IgdRegisters(interrupts);
        this.ports = new IndexedAccess(new IndexedAccess.Target() {
            @Override
            public int read(int offset) {
                return readWordLocked(IgdFunction.REGISTERS.index(), offset);
            }

            @Override
            public void write(int offset, int value) {
                writeWordLocked(IgdFunction.REGISTERS.index(), offset, value);
            }
        });
        behind(IgdFunction.REGISTERS, registers);
        behind(IgdFunction.aperture(apertureSize), new ReservedRegisters());
        behind(IgdFunction.PORTS, ports);
    }

    @Override
    protected void resetRegistersLocked() {
        registers.reset();
        ports.reset();
    }

    /// Aperture and translation table stand for system memory set aside for graphics: a reset leaves them, and does not have to touch every
    /// page of a memory that is large and hardly used.
    @Override
    protected Map<Integer, List<Range>> registersInMemory() {
        return Map.of(IgdFunction.REGISTERS.index(), List.of(IgdFunction.PLAIN_REGISTERS));
    }

    @Override
    protected boolean interruptLocked(int vector) {
        return interrupts.raise();
    }

    @Override
    protected void attachLocked(Lent lent) {
        interrupts.attach(lent.interrupts());
    }

    @Override
    protected void detachLocked() {
        interrupts.detach();
    }
}
