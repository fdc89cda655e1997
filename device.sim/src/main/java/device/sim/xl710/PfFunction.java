// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.configspace.Capabilities;
import device.sim.configspace.ConfigSpace;
import device.sim.configspace.ConfigSpaceBuilder;
import device.sim.configspace.ExtendedCapabilities;
import device.sim.configspace.ExtendedCapabilities.VirtualFunctions;
import device.sim.function.FunctionDescription;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.InterruptVectors;

/// What the XL710 physical function says of itself: ids, BARs, config space. Facts from the datasheet and from public `lspci` listings of a
/// two-port card. Vital Product Data (0xE0 on the card) is left out: nothing here reads it.
final class PfFunction {
    /// Most virtual functions of a function of a two-port card.
    static final int MAX_VIRTUAL_FUNCTIONS = 64;
    static final int MSIX_VECTORS = 129;
    static final int MSIX_BAR = 3;
    static final int MSIX_PENDING = 0x1000;

    static final Bar REGISTERS = new Bar(0, Bar.Kind.MEMORY_64, true, 0x80_0000, List.of());
    static final Bar MSIX = new Bar(MSIX_BAR, Bar.Kind.MEMORY_64, true, 0x8000, List.of());
    static final List<Bar> BARS = List.of(REGISTERS, MSIX);

    private PfFunction() {
    }

    static PciId id(int device) {
        return new PciId(VfFunction.VENDOR, device, VfFunction.ETHERNET, 0x02, VfFunction.VENDOR, 0x0001);
    }

    static FunctionDescription description(PciAddress address, int device) {
        return new FunctionDescription(address, id(device), BARS, new InterruptVectors(1, 1, MSIX_VECTORS), Optional.empty());
    }

    static ConfigSpace configSpace(PciAddress address, int device, VirtualFunctions virtual) {
        // The serial number is that of a MAC address with FF FF in its middle; this one is locally administered.
        long serialNumber = 0x0200_00FF_FF00_0000L | address.routingId();
        return ConfigSpaceBuilder.extended()
            .header(id(device), BARS, 1)
            .capability(Capabilities.powerManagement(0x40))
            .capability(Capabilities.msi(0x50, true))
            .capability(Capabilities.msix(0x70, MSIX_VECTORS, MSIX_BAR, 0, MSIX_PENDING))
            .capability(Capabilities.pciExpress(0xA0, Capabilities.ENDPOINT))
            .capability(ExtendedCapabilities.advancedErrorReporting(0x100))
            .capability(ExtendedCapabilities.serialNumber(0x140, serialNumber))
            .capability(ExtendedCapabilities.alternativeRoutingId(0x150))
            .capability(ExtendedCapabilities.singleRootIov(0x160, MAX_VIRTUAL_FUNCTIONS, virtual))
            .capability(ExtendedCapabilities.tphRequester(0x1A0))
            .capability(ExtendedCapabilities.accessControlServices(0x1B0))
            .capability(ExtendedCapabilities.secondaryPciExpress(0x1D0))
            .build();
    }
}
