// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

/// Fixed region indices, `VFIO_PCI_*_REGION_INDEX`.
public final class RegionIndex {
    /// `VFIO_PCI_BAR0_REGION_INDEX`; BAR n has index n.
    public static final int BAR0 = 0;
    /// `VFIO_PCI_BAR5_REGION_INDEX`.
    public static final int BAR5 = 5;
    /// `VFIO_PCI_ROM_REGION_INDEX`.
    public static final int ROM = 6;
    /// `VFIO_PCI_CONFIG_REGION_INDEX`.
    public static final int CONFIG = 7;
    /// `VFIO_PCI_VGA_REGION_INDEX`.
    public static final int VGA = 8;
    /// `VFIO_PCI_NUM_REGIONS`: the first device-specific region.
    public static final int FIRST_SPECIFIC = 9;

    private RegionIndex() {
    }
}
