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

    /// Index of the BAR with the registers.
    static final int BAR = 0;
    static final int REGISTERS_SIZE = 0x10000;

    /// Transmit tails with nothing else to 0x2000, then receive tails and throttling intervals to 0x3000: reading has no side effect and
    /// gives what was written, so plain memory will do. Nowhere else does it.
    static final int DOORBELLS_END = 0x3000;
    private static final Range DOORBELLS = new Range(0, DOORBELLS_END);
    static final Bar MSIX = new Bar(MSIX_BAR, Bar.Kind.MEMORY_64, true, 0x4000, List.of());

    /// iavf enables the vector of a queue by writing INTENA without an interval to its control; enabling twice does what enabling once
    /// does. Other values come by messages.
    static final List<Doorbell> IO_EVENTS = IntStream.range(0, MSIX_VECTORS - 1)
        .mapToObj(v -> new Doorbell(BAR, VfRegister.VFINT_DYN_CTLN1.base() + 4L * v, Integer.BYTES,
            OptionalLong.of(DynCtl.INTENA | DynCtl.ITR_NONE << DynCtl.ITR_INDX_SHIFT))).toList();

    private VfFunction() {
    }

    /// The BAR with the registers.
    ///
    /// @param mappedDoorbells whether the pages with tails may be mapped
    static Bar registers(boolean mappedDoorbells) {
        return new Bar(BAR, Bar.Kind.MEMORY_64, true, REGISTERS_SIZE, mappedDoorbells ? List.of(DOORBELLS) : List.of());
    }

    static List<Bar> bars(boolean mappedDoorbells) {
        return List.of(registers(mappedDoorbells), MSIX);
    }

    static PciId id(int device) {
        return new PciId(VENDOR, device, ETHERNET, 0x02, VENDOR, 0x0000);
    }

    static FunctionDescription description(PciAddress address, int device, PciAddress physicalFunction, boolean mappedDoorbells) {
        return new FunctionDescription(address, id(device), bars(mappedDoorbells), new InterruptVectors(0, 0, MSIX_VECTORS),
            Optional.of(physicalFunction), IO_EVENTS);
    }

    /// On hardware ids and memory enable of a virtual function read as nothing and the host substitutes them; here they read as a guest is
    /// to see them.
    static ConfigSpace configSpace(int device) {
        return ConfigSpaceBuilder.extended()
            .header(id(device), bars(true), 0)
            .capability(Capabilities.msix(0x70, MSIX_VECTORS, MSIX_BAR, 0, MSIX_PENDING))
            .capability(Capabilities.pciExpress(0xA0, Capabilities.ENDPOINT))
            .capability(ExtendedCapabilities.advancedErrorReporting(0x100))
            .capability(ExtendedCapabilities.alternativeRoutingId(0x150))
            .capability(ExtendedCapabilities.tphRequester(0x1A0))
            .capability(ExtendedCapabilities.accessControlServices(0x1D0))
            .build();
    }
}
