// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

import java.util.List;

/// A capability in a region's list, `VFIO_REGION_INFO_CAP_*`.
public sealed interface RegionCapability {
    /// `VFIO_REGION_INFO_CAP_SPARSE_MMAP` (1): only these areas can be mapped. On the wire an area keeps its standard 16 bytes; which ones
    /// are disablable travels in a capability of our own, to a client that asked for it.
    ///
    /// @param areas sorted and apart
    record SparseMmap(List<MmapArea> areas) implements RegionCapability {
        /// Checks order and copies.
        public SparseMmap {
            areas = List.copyOf(areas);
            long end = 0;
            for (MmapArea area : areas) {
                if (area.offset() < end) {
                    throw new IllegalArgumentException("areas=%s expected=sorted and apart".formatted(areas));
                }
                end = area.end();
            }
        }
    }

    /// `VFIO_REGION_INFO_CAP_TYPE` (2): what a device-specific region is.
    ///
    /// @param type u32
    /// @param subtype u32
    record Type(int type, int subtype) implements RegionCapability {
        /// The proposal's migration region, type 3 subtype 1.
        public static final Type MIGRATION = new Type(3, 1);
        /// The proposal's dynamic-trap-bar-info region, type 4 subtype 1.
        public static final Type DYNAMIC_TRAP_BAR_INFO = new Type(4, 1);
    }

    /// `VFIO_REGION_INFO_CAP_MSIX_MAPPABLE` (3): the page of the MSI-X table can be mapped.
    record MsixMappable() implements RegionCapability {
    }
}
