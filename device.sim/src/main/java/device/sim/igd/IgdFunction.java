// SPDX-License-Identifier: Apache-2.0
package device.sim.igd;

import device.sim.configspace.Capabilities;
import device.sim.configspace.ConfigSpace;
import device.sim.configspace.ConfigSpaceBuilder;
import device.sim.configspace.Field;
import device.sim.function.FunctionDescription;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.Range;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.InterruptVectors;

/// What the graphics device says of itself: ids, BARs, config space. Facts: Intel Graphics Programmer's Reference Manual for Kaby Lake,
/// Linux's `i915/intel_pci_config.h`, public `lspci` listings.
final class IgdFunction {
    /// Where the translation table starts in BAR 0; it takes the upper half.
    static final int TABLE_OFFSET = 0x80_0000;

    private static final int VENDOR = 0x8086;
    private static final int VGA = 0x030000;

    /// Registers that this model gives no effect to. On the real device some in this range have one.
    static final Range PLAIN_REGISTERS = new Range(0x8000, 0x8000);
    private static final Range TABLE = new Range(TABLE_OFFSET, TABLE_OFFSET);

    static final Bar REGISTERS = new Bar(0, Bar.Kind.MEMORY_64, false, 0x100_0000, List.of(PLAIN_REGISTERS, TABLE));
    static final Bar PORTS = new Bar(4, Bar.Kind.IO, false, 0x40, List.of());

    private IgdFunction() {
    }

    static PciId id(int device) {
        return new PciId(VENDOR, device, VGA, 0x06, VENDOR, 0x2063);
    }

    /// The window to graphics memory.
    static Bar aperture(long size) {
        return new Bar(2, Bar.Kind.MEMORY_64, true, size, List.of(new Range(0, size)));
    }

    static List<Bar> bars(long apertureSize) {
        return List.of(REGISTERS, aperture(apertureSize), PORTS);
    }

    static FunctionDescription description(PciAddress address, int device, long apertureSize) {
        return new FunctionDescription(address, id(device), bars(apertureSize), new InterruptVectors(1, 1, 0), Optional.empty());
    }

    static ConfigSpace configSpace(int device, long apertureSize) {
        return ConfigSpaceBuilder.conventional()
            .header(id(device), bars(apertureSize), 1)
            .capability(Capabilities.vendorSpecific(0x40, 0x0C))
            .capability(Capabilities.pciExpress(0x70, Capabilities.ROOT_COMPLEX_ENDPOINT))
            .capability(Capabilities.msi(0xAC, false))
            .capability(Capabilities.powerManagement(0xD0))
            // GGC: an 8 MiB translation table (bits 7:6), no stolen memory (bits 15:8), locked by firmware (bit 0).
            .field(Field.fixed(0x50, 2, 0x00C1))
            // BDSM: base of stolen memory; there is none.
            .field(Field.fixed(0x5C, 4, 0))
            // ASLS: physical address of the OpRegion; firmware writes it.
            .field(Field.writable(0xFC, 4, 0, 0xFFFF_FFFFL))
            .build();
    }
}
