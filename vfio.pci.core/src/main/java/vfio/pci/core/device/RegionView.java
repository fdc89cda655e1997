// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.Range;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.Bar;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.region.Region;

/// Cuts what a mediation says of a region to what a client may map: whole pages where plain memory behaves as the register does, without
/// those that can be switched to trapped if the client could not be told.
final class RegionView {
    private RegionView() {
    }

    /// What the client is told.
    static RegionInfo cut(RegionInfo info, Region region, boolean withDisablable) {
        List<MmapArea> areas = areas(info, region).stream().filter(area -> withDisablable || !area.disablable()).toList();
        if (areas.isEmpty()) {
            return info.without(RegionInfo.Flag.MMAP).without(RegionCapability.SparseMmap.class);
        }
        return info.with(RegionInfo.Flag.MMAP).with(new RegionCapability.SparseMmap(areas));
    }

    /// What one layer says of a region, without what the layers below it keep from being mapped. An area can be switched when one of them
    /// switches it.
    static RegionInfo within(RegionInfo info, RegionInfo lower) {
        List<MmapArea> allowed = lower.sparseMmap().map(RegionCapability.SparseMmap::areas).orElse(null);
        if (!info.flags().contains(RegionInfo.Flag.MMAP) || allowed == null && lower.flags().contains(RegionInfo.Flag.MMAP)) {
            return info;
        }
        List<MmapArea> areas = new ArrayList<>();
        if (lower.flags().contains(RegionInfo.Flag.MMAP)) {
            List<MmapArea> wanted = info.sparseMmap().map(RegionCapability.SparseMmap::areas)
                .orElse(List.of(new MmapArea(0, info.size(), false)));
            allowed.forEach(one -> wanted.forEach(other -> addCommon(areas, one, other)));
        }
        return areas.isEmpty() ? info.without(RegionInfo.Flag.MMAP).without(RegionCapability.SparseMmap.class)
            : info.with(new RegionCapability.SparseMmap(areas));
    }

    private static void addCommon(List<MmapArea> areas, MmapArea one, MmapArea other) {
        long first = Math.max(one.offset(), other.offset());
        long end = Math.min(one.end(), other.end());
        if (first < end) {
            areas.add(new MmapArea(first, end - first, one.disablable() || other.disablable()));
        }
    }

    /// The disablable areas of a region.
    static List<Claim> disablable(RegionInfo info, Region region) {
        return areas(info, region).stream().filter(MmapArea::disablable)
            .map(area -> Claim.of(info.index(), area.offset(), area.size())).toList();
    }

    private static List<MmapArea> areas(RegionInfo info, Region region) {
        if (!info.flags().contains(RegionInfo.Flag.MMAP)) {
            return List.of();
        }
        List<MmapArea> wanted = info.sparseMmap().map(RegionCapability.SparseMmap::areas).orElse(null);
        List<MmapArea> areas = new ArrayList<>();
        // A page that is only in part within the region is not the client's to map.
        long whole = info.size() & -Bar.PAGE_SIZE;
        for (Range pages : region.memoryLike()) {
            if (wanted == null) {
                addPart(areas, new MmapArea(pages.offset(), pages.size(), false), pages, whole);
                continue;
            }
            wanted.forEach(area -> addPart(areas, area, pages, whole));
        }
        return areas;
    }

    private static void addPart(List<MmapArea> areas, MmapArea area, Range pages, long whole) {
        long first = Math.max(area.offset(), pages.offset());
        long end = Math.min(Math.min(area.end(), pages.end()), whole);
        if (first < end) {
            areas.add(new MmapArea(first, end - first, area.disablable()));
        }
    }
}
