// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.configspace.Capabilities;
import device.sim.configspace.ConfigSpace;
import device.sim.configspace.ConfigSpaceBuilder;
import device.sim.configspace.ExtendedCapabilities;
import device.sim.function.FunctionDescription;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.Range;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.function.InterruptVectors;

/// What an XL710 virtual function says of itself: ids, BARs, config space. Facts from the datasheet (section "PCIe capabilities of a VF")
/// and from public `lspci` listings.
final class VfFunction {
    static final int VENDOR = 0x8086;
    /// "Ethernet Virtual Function 700 Series".
    static final int DEVICE = 0x154C;
    static final int ETHERNET = 0x020000;
    static final int MSIX_VECTORS = 5;
    static final int MSIX_BAR = 3;
    static final int MSIX_PENDING = 0x2000;

    /// Transmit tails with nothing else to 0x2000, then receive tails and throttling intervals to 0x3000: reading has no side effect and
    /// gives what was written, so plain memory will do. Nowhere else does it.
    static final Bar REGISTERS = new Bar(0, Bar.Kind.MEMORY_64, true, 0x10000, List.of(new Range(0x0000, 0x3000)));
    static final Bar MSIX = new Bar(MSIX_BAR, Bar.Kind.MEMORY_64, true, 0x4000, List.of());
    static final List<Bar> BARS = List.of(REGISTERS, MSIX);

    /// iavf enables the vector of a queue by writing INTENA without an interval to its control; enabling twice does what enabling once
    /// does. Other values come by messages.
    static final List<Doorbell> DOORBELLS = IntStream.range(0, MSIX_VECTORS - 1)
        .mapToObj(v -> new Doorbell(REGISTERS.index(), VfRegister.VFINT_DYN_CTLN1.base() + 4L * v, Integer.BYTES,
            OptionalLong.of(DynCtl.INTENA | DynCtl.ITR_NONE << DynCtl.ITR_INDX_SHIFT))).toList();

    private VfFunction() {
    }

    static PciId id(int device) {
        return new PciId(VENDOR, device, ETHERNET, 0x02, VENDOR, 0x0000);
    }

    static FunctionDescription description(PciAddress address, int device, PciAddress physicalFunction) {
        return new FunctionDescription(address, id(device), BARS, new InterruptVectors(0, 0, MSIX_VECTORS),
            Optional.of(physicalFunction), DOORBELLS);
    }

    /// On hardware ids and memory enable of a virtual function read as nothing and the host substitutes them; here they read as a guest is
    /// to see them.
    static ConfigSpace configSpace(int device) {
        return ConfigSpaceBuilder.extended()
            .header(id(device), BARS, 0)
            .capability(Capabilities.msix(0x70, MSIX_VECTORS, MSIX_BAR, 0, MSIX_PENDING))
            .capability(Capabilities.pciExpress(0xA0, Capabilities.ENDPOINT))
            .capability(ExtendedCapabilities.advancedErrorReporting(0x100))
            .capability(ExtendedCapabilities.alternativeRoutingId(0x150))
            .capability(ExtendedCapabilities.tphRequester(0x1A0))
            .capability(ExtendedCapabilities.accessControlServices(0x1D0))
            .build();
    }
}
