// SPDX-License-Identifier: Apache-2.0
package mediator.igd;

import java.util.List;
import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.InterruptVectors;
import vfio.pci.api.function.LentResources;
import vfio.pci.api.function.PciFunction;

/// A function that can only be looked at, which is all a mediator may do.
record DescribedFunction(PciAddress address, PciId id) implements PciFunction {
    static DescribedFunction of(int vendor, int device, int classCode) {
        return new DescribedFunction(PciAddress.parse("00:02.0"), new PciId(vendor, device, classCode, 0, 0, 0));
    }

    @Override
    public List<Bar> bars() {
        return List.of();
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
        return Optional.of("vfio-pci");
    }

    @Override
    public BoundFunction bind(String driver, LentResources lent) {
        throw new AssertionError("a mediator of graphics binds nothing");
    }
}
