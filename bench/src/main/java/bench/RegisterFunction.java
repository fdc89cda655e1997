// SPDX-License-Identifier: Apache-2.0
package bench;

import java.util.List;
import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.InterruptVectors;
import vfio.pci.api.function.LentResources;
import vfio.pci.api.function.PciFunction;

/// A PCI function with a [RegisterFile] behind BAR 0 and nothing else.
final class RegisterFunction implements PciFunction {
    private final PciAddress address;
    private final PciId id = new PciId(0x8086, 0x154C, 0x020000, 1, 0x8086, 0);
    private final RegisterFile registers = new RegisterFile(id);

    RegisterFunction(PciAddress address) {
        this.address = address;
    }

    /// The registers themselves: what a direct access goes to.
    RegisterFile registers() {
        return registers;
    }

    @Override
    public PciAddress address() {
        return address;
    }

    @Override
    public PciId id() {
        return id;
    }

    @Override
    public List<Bar> bars() {
        return List.of(new Bar(0, Bar.Kind.MEMORY_32, false, RegisterFile.SIZE, List.of()));
    }

    @Override
    public InterruptVectors interruptVectors() {
        return new InterruptVectors(0, 0, 0);
    }

    @Override
    public Optional<PciAddress> physicalFunction() {
        return Optional.empty();
    }

    @Override
    public Optional<String> driver() {
        return Optional.empty();
    }

    @Override
    public BoundFunction bind(String driver, LentResources lent) {
        return registers;
    }
}
