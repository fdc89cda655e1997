// SPDX-License-Identifier: Apache-2.0
package device.sim.configspace;

import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.function.Bar;

/// The capabilities of the extended list, from 0x100 on.
public final class ExtendedCapabilities {
    private ExtendedCapabilities() {
    }

    /// Advanced Error Reporting (0x0001), version 2.
    public static Capability advancedErrorReporting(int offset) {
        return new Capability(offset, 0x0001, 2, 0x48, List.of(
            Field.clearable(0x04, 4, 0x01FF_F030L),
            Field.writable(0x08, 4, 0, 0x01FF_F030L),
            // Fatal by default: data link, surprise down, flow control, overflow, malformed.
            Field.writable(0x0C, 4, 0x0006_2030L, 0x01FF_F030L),
            Field.clearable(0x10, 4, 0x0000_F1C1L),
            // Advisory non-fatal errors start masked.
            Field.writable(0x14, 4, 0x0000_2000L, 0x0000_F1C1L),
            Field.writable(0x18, 4, 0x0000_00A0L, 0x0000_0140L)));
    }

    /// Device Serial Number (0x0003).
    public static Capability serialNumber(int offset, long number) {
        return new Capability(offset, 0x0003, 1, 0x0C, List.of(Field.fixed(4, 8, number)));
    }

    /// Access Control Services (0x000D), with nothing to control.
    public static Capability accessControlServices(int offset) {
        return new Capability(offset, 0x000D, 1, 8, List.of());
    }

    /// Alternative Routing-ID Interpretation (0x000E), the last function of its device.
    public static Capability alternativeRoutingId(int offset) {
        return new Capability(offset, 0x000E, 1, 8, List.of());
    }

    /// TPH Requester (0x0017): no steering table, device specific mode.
    public static Capability tphRequester(int offset) {
        return new Capability(offset, 0x0017, 1, 0x0C, List.of(
            Field.fixed(4, 4, 0x05),
            Field.writable(8, 4, 0, 0x0307)));
    }

    /// Secondary PCI Express (0x0019) for eight lanes.
    public static Capability secondaryPciExpress(int offset) {
        return new Capability(offset, 0x0019, 1, 0x1C, List.of(
            Field.writable(4, 4, 0, 0x03),
            Field.clearable(8, 4, 0xFF)));
    }

    /// Single Root I/O Virtualization (0x0010), as a host left it that enabled the virtual functions: enable and number are fixed, because
    /// the functions are there for as long as the card is.
    ///
    /// @param total most virtual functions there could be
    /// @param virtual what they are
    public static Capability singleRootIov(int offset, int total, VirtualFunctions virtual) {
        int enabled = virtual.count() > 0 ? 0x0019 : 0x0010;
        List<Field> fields = new ArrayList<>(List.of(
            Field.fixed(0x08, 2, enabled),
            Field.fixed(0x0C, 2, total),
            Field.fixed(0x0E, 2, total),
            Field.fixed(0x10, 2, virtual.count()),
            Field.fixed(0x14, 2, virtual.offset()),
            Field.fixed(0x16, 2, virtual.stride()),
            Field.fixed(0x1A, 2, virtual.device()),
            Field.fixed(0x1C, 4, 0x553),
            Field.writable(0x20, 4, 1, 0x553)));
        for (Bar bar : virtual.bars()) {
            fields.addAll(BarRegister.fields(bar, 0x24));
        }
        return new Capability(offset, 0x0010, 1, 0x40, fields);
    }

    /// The virtual functions of a physical one.
    ///
    /// @param count how many are enabled
    /// @param offset routing id of the first, from that of the physical function
    /// @param stride routing ids from one to the next
    /// @param device their device id
    /// @param bars the BARs of each
    public record VirtualFunctions(int count, int offset, int stride, int device, List<Bar> bars) {
        /// Copies the list.
        public VirtualFunctions {
            bars = List.copyOf(bars);
        }
    }
}
