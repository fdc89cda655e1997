// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.Range;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.Bar;

/// The pages that a client could map, and those that a rule has something in: there the rule would see nothing.
final class GuardedPages {
    private GuardedPages() {
    }

    /// What a client could map of a region.
    static List<MmapArea> mappable(RegionInfo info) {
        long whole = info.size() & -Bar.PAGE_SIZE;
        if (!info.flags().contains(RegionInfo.Flag.MMAP) || whole == 0) {
            return List.of();
        }
        return info.sparseMmap().map(RegionCapability.SparseMmap::areas).orElse(List.of(new MmapArea(0, whole, false)));
    }

    /// The pages among these that the range has a byte in.
    static List<MmapArea> touched(List<MmapArea> areas, Range range) {
        long first = range.offset() & -Bar.PAGE_SIZE;
        long end = range.end() > Long.MAX_VALUE - Bar.PAGE_SIZE ? Long.MAX_VALUE & -Bar.PAGE_SIZE
            : range.end() + Bar.PAGE_SIZE - 1 & -Bar.PAGE_SIZE;
        List<MmapArea> touched = new ArrayList<>();
        areas.forEach(area -> add(touched, area, Math.max(first, area.offset()), Math.min(end, area.end())));
        return touched;
    }

    /// The areas without those pages.
    static List<MmapArea> without(List<MmapArea> areas, List<MmapArea> pages) {
        List<MmapArea> left = areas;
        for (MmapArea page : pages) {
            List<MmapArea> cut = new ArrayList<>();
            for (MmapArea area : left) {
                add(cut, area, area.offset(), Math.min(page.offset(), area.end()));
                add(cut, area, Math.max(page.end(), area.offset()), area.end());
            }
            left = cut;
        }
        return left;
    }

    /// The region with these areas alone.
    static RegionInfo describe(RegionInfo info, List<MmapArea> areas) {
        return areas.isEmpty() ? info.without(RegionInfo.Flag.MMAP).without(RegionCapability.SparseMmap.class)
            : info.with(new RegionCapability.SparseMmap(areas));
    }

    private static void add(List<MmapArea> areas, MmapArea of, long first, long end) {
        if (first < end) {
            areas.add(new MmapArea(first, end - first, of.disablable()));
        }
    }
}
