// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// `struct vfio_region_info`.
///
/// @param index the region
/// @param size bytes; 0 when there is nothing
/// @param flags what can be done with it; [Flag#MMAP] exactly when some part can be mapped
/// @param capabilities what more is to be said, in the order a client sees it
public record RegionInfo(int index, long size, Set<Flag> flags, List<RegionCapability> capabilities) {
    /// `VFIO_REGION_INFO_FLAG_*`, without CAPS, which follows from the list.
    public enum Flag {
        /// `VFIO_REGION_INFO_FLAG_READ`.
        READ,
        /// `VFIO_REGION_INFO_FLAG_WRITE`.
        WRITE,
        /// `VFIO_REGION_INFO_FLAG_MMAP`.
        MMAP
    }

    /// Checks and copies.
    public RegionInfo {
        if (index < 0 || size < 0) {
            throw new IllegalArgumentException("region=%d size=0x%x expected=not negative".formatted(index, size));
        }
        flags = flags.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(flags));
        capabilities = List.copyOf(capabilities);
    }

    /// A region with nothing in it.
    public static RegionInfo absent(int index) {
        return new RegionInfo(index, 0, Set.of(), List.of());
    }

    /// The areas that can be mapped, if the region has such a list.
    public Optional<RegionCapability.SparseMmap> sparseMmap() {
        return capabilities.stream().filter(RegionCapability.SparseMmap.class::isInstance)
            .map(RegionCapability.SparseMmap.class::cast).findFirst();
    }

    /// The same region with this size.
    public RegionInfo withSize(long newSize) {
        return new RegionInfo(index, newSize, flags, capabilities);
    }

    /// The same region with this flag set.
    public RegionInfo with(Flag flag) {
        Set<Flag> all = EnumSet.of(flag);
        all.addAll(flags);
        return new RegionInfo(index, size, all, capabilities);
    }

    /// The same region with this flag clear.
    public RegionInfo without(Flag flag) {
        Set<Flag> all = EnumSet.noneOf(Flag.class);
        all.addAll(flags);
        all.remove(flag);
        return new RegionInfo(index, size, all, capabilities);
    }

    /// The same region with this capability instead of those of its kind.
    public RegionInfo with(RegionCapability capability) {
        List<RegionCapability> all = new ArrayList<>(capabilities);
        all.removeIf(present -> present.getClass() == capability.getClass());
        all.add(capability);
        return new RegionInfo(index, size, flags, all);
    }

    /// The same region without capabilities of this kind.
    public RegionInfo without(Class<? extends RegionCapability> kind) {
        return new RegionInfo(index, size, flags, capabilities.stream().filter(present -> !kind.isInstance(present)).toList());
    }
}
