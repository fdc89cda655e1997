// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import java.util.List;
import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.function.InterruptVectors;

/// What a function says of itself.
///
/// @param address where it sits
/// @param id what it is
/// @param bars by ascending index
/// @param vectors how many it can raise
/// @param physicalFunction of a virtual function, its PF
/// @param doorbells registers that a client may write by an event
public record FunctionDescription(PciAddress address, PciId id, List<Bar> bars, InterruptVectors vectors,
        Optional<PciAddress> physicalFunction, List<Doorbell> doorbells) {
    /// Copies the lists.
    public FunctionDescription {
        bars = List.copyOf(bars);
        doorbells = List.copyOf(doorbells);
    }

    /// One without doorbells.
    public FunctionDescription(PciAddress address, PciId id, List<Bar> bars, InterruptVectors vectors,
            Optional<PciAddress> physicalFunction) {
        this(address, id, bars, vectors, physicalFunction, List.of());
    }
}
