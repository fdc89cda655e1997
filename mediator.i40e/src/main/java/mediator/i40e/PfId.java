// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import vfio.pci.api.PciId;

/// Physical functions that the driver takes. Source: `i40e_devids.h` of Intel's Linux driver; names are its own, without the prefix.
enum PfId {
    /// X710 10GbE SFP+.
    SFP_XL710(0x1572),
    /// XL710 emulation.
    QEMU(0x1574),
    /// XL710 40GbE backplane.
    KX_B(0x1580),
    /// X710 10GbE backplane.
    KX_C(0x1581),
    /// XL710 40GbE QSFP+.
    QSFP_A(0x1583),
    /// XL710 40GbE QSFP+.
    QSFP_B(0x1584),
    /// X710 10GbE QSFP+.
    QSFP_C(0x1585),
    /// X710 10GBASE-T.
    PHY_10G_BASE_T(0x1586),
    /// XL710 20GbE backplane.
    KR2_20G(0x1587),
    /// XL710 20GbE backplane.
    KR2_20G_A(0x1588),
    /// X710/X557-AT 10GBASE-T.
    PHY_10G_BASE_T4(0x1589),
    /// XXV710 25GbE backplane.
    B_25G(0x158A),
    /// XXV710 25GbE SFP28.
    SFP28_25G(0x158B);

    private static final int INTEL = 0x8086;

    private final int device;

    PfId(int device) {
        this.device = device;
    }

    /// Whether the function is one of these.
    static boolean fits(PciId id) {
        if (id.vendor() != INTEL) {
            return false;
        }
        for (PfId candidate : values()) {
            if (candidate.device == id.device()) {
                return true;
            }
        }
        return false;
    }
}
