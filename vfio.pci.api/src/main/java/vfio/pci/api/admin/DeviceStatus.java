// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.List;
import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;

/// A function and, while it is open, its device.
///
/// @param address where it sits
/// @param id what it is
/// @param physicalFunction of a virtual function, its PF
/// @param driver who is bound to it
/// @param clients names of those who have it open
/// @param mediator name of the mediator bound, while open; of several, top first, with `over` between
/// @param trapping whether disablable areas trap now
/// @param isolated why accesses are refused, if they are
/// @param regions of an open device, those with a size
/// @param irqs of an open device, those with vectors
/// @param layers of who mediates an open device, top first; one where nothing else was declared
public record DeviceStatus(PciAddress address, PciId id, Optional<PciAddress> physicalFunction, Optional<String> driver,
        List<String> clients, Optional<String> mediator, boolean trapping, Optional<String> isolated,
        List<RegionInfo> regions, List<IrqInfo> irqs, List<MediationLayer> layers) {
    /// Copies the lists.
    public DeviceStatus {
        clients = List.copyOf(clients);
        regions = List.copyOf(regions);
        irqs = List.copyOf(irqs);
        layers = List.copyOf(layers);
    }

    /// One that nobody has declared anything for: who mediates it, if somebody does, is the only one.
    public DeviceStatus(PciAddress address, PciId id, Optional<PciAddress> physicalFunction, Optional<String> driver, List<String> clients,
            Optional<String> mediator, boolean trapping, Optional<String> isolated, List<RegionInfo> regions, List<IrqInfo> irqs) {
        this(address, id, physicalFunction, driver, clients, mediator, trapping, isolated, regions, irqs,
            clients.isEmpty() ? List.of() : List.of(new MediationLayer("*", mediator)));
    }

    /// Whether somebody has it open.
    public boolean open() {
        return !clients.isEmpty();
    }
}
