// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api;

import java.util.Locale;

/// What a function says it is.
///
/// @param vendor vendor id, u16
/// @param device device id, u16; of a virtual function the one its physical function's SR-IOV capability names
/// @param classCode base class, subclass and programming interface, u24, as in 0x020000
/// @param revision u8
/// @param subsystemVendor u16
/// @param subsystem u16
public record PciId(int vendor, int device, int classCode, int revision, int subsystemVendor, int subsystem) {
    /// Checks the widths above.
    public PciId {
        check("vendor", vendor, 0xFFFF);
        check("device", device, 0xFFFF);
        check("classCode", classCode, 0xFFFFFF);
        check("revision", revision, 0xFF);
        check("subsystemVendor", subsystemVendor, 0xFFFF);
        check("subsystem", subsystem, 0xFFFF);
    }

    private static void check(String name, int value, int max) {
        if (value < 0 || value > max) {
            throw new IllegalArgumentException("%s=0x%x expected=0 to 0x%x".formatted(name, value, max));
        }
    }

    /// Vendor and device as people write them, `8086:154c`.
    public String vendorAndDevice() {
        return String.format(Locale.ROOT, "%04x:%04x", vendor, device);
    }
}
