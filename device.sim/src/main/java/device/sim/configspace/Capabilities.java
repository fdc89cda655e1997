// SPDX-License-Identifier: Apache-2.0
package device.sim.configspace;

import java.util.List;

/// The capabilities of the conventional list, below 0x100.
public final class Capabilities {
    /// `PCI_EXP_TYPE_ENDPOINT`: device/port type in the PCI Express capability.
    public static final int ENDPOINT = 0;
    /// `PCI_EXP_TYPE_RC_END`: a function integrated into the root complex, which has no link.
    public static final int ROOT_COMPLEX_ENDPOINT = 9;

    private static final int INITIATE_FLR = 0x8000;

    private Capabilities() {
    }

    /// Power Management (0x01): D0 and D3hot, power management events from both, no reset by leaving D3hot.
    public static Capability powerManagement(int offset) {
        return new Capability(offset, 0x01, 0, 8, List.of(
            Field.fixed(2, 2, 0xC823),
            new Field(4, 2, 0x0008, 0x0103, 0x8000, 0)));
    }

    /// Message Signalled Interrupts (0x05) with one vector.
    ///
    /// @param wideAndMaskable with a 64-bit address and a mask register
    public static Capability msi(int offset, boolean wideAndMaskable) {
        Field control = Field.writable(2, 2, wideAndMaskable ? 0x0180 : 0, 0x0071);
        Field address = Field.writable(4, 4, 0, 0xFFFF_FFFCL);
        if (!wideAndMaskable) {
            return new Capability(offset, 0x05, 0, 0x0A, List.of(control, address, Field.writable(8, 2, 0, 0xFFFF)));
        }
        return new Capability(offset, 0x05, 0, 0x18, List.of(control, address,
            Field.writable(8, 4, 0, 0xFFFF_FFFFL),
            Field.writable(0x0C, 2, 0, 0xFFFF),
            Field.writable(0x10, 4, 0, 1),
            Field.fixed(0x14, 4, 0)));
    }

    /// Vendor Specific (0x09), its content zero.
    public static Capability vendorSpecific(int offset, int length) {
        return new Capability(offset, 0x09, 0, length, List.of(Field.fixed(2, 1, length)));
    }

    /// MSI-X (0x11).
    ///
    /// @param vectors 1 to 2048
    /// @param bar where table and pending bits are
    public static Capability msix(int offset, int vectors, int bar, int tableOffset, int pendingOffset) {
        return new Capability(offset, 0x11, 0, 0x0C, List.of(
            Field.writable(2, 2, vectors - 1, 0xC000),
            Field.fixed(4, 4, tableOffset | bar),
            Field.fixed(8, 4, pendingOffset | bar)));
    }

    /// PCI Express (0x10), version 2, able to be reset by function.
    ///
    /// @param type [#ENDPOINT] with an 8 GT/s x8 link, or [#ROOT_COMPLEX_ENDPOINT] with none
    public static Capability pciExpress(int offset, int type) {
        boolean link = type == ENDPOINT;
        // Payload to 2048 bytes, extended tags, L0s below 512 ns, L1 below 64 us, role-based errors, FLR.
        long deviceCapabilities = link ? 0x1000_8CE4L : 0x1000_8000L;
        return new Capability(offset, 0x10, 0, 0x3C, List.of(
            Field.fixed(2, 2, type << 4 | 2),
            Field.fixed(4, 4, deviceCapabilities),
            // Relaxed order and no-snoop enabled, reads to 512 bytes.
            new Field(8, 2, 0x2810, 0x79FF, 0, INITIATE_FLR),
            Field.clearable(0x0A, 2, 0x000F),
            Field.fixed(0x0C, 4, link ? 0x0040_0083L : 0),
            Field.writable(0x10, 2, 0, link ? 0x00CB : 0),
            Field.fixed(0x12, 2, link ? 0x0083 : 0),
            Field.fixed(0x24, 4, 0x1F),
            Field.writable(0x28, 2, 0, 0x1F),
            Field.fixed(0x2C, 4, link ? 0x0E : 0),
            Field.writable(0x30, 2, link ? 3 : 0, link ? 0x0F : 0)));
    }
}
