// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.Range;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.Bar;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.region.Region;

/// What a client that has looked at a device and mapped it does not learn when another mediation comes: there is nothing to tell it by, but
/// for areas of BARs to one that takes the interrupt that says so.
final class Withheld {
    private final OpenDevice device;
    private final List<RegionInfo> before;
    private final int irqsBefore;

    /// As it is now.
    Withheld(OpenDevice device) {
        this.device = device;
        this.before = regions();
        this.irqsBefore = device.irqs().count();
    }

    private List<RegionInfo> regions() {
        List<RegionInfo> described = device.mediation().described();
        List<RegionInfo> infos = new ArrayList<>();
        int index = 0;
        for (Region region : device.regions().all()) {
            infos.add(index < described.size() && region.info().size() > 0 ? described.get(index) : region.info());
            index++;
        }
        return infos;
    }

    /// Tells those clients that can be told which regions are to be asked for again, and the rest to people.
    ///
    /// @return what is withheld since then; nothing where nobody has it open
    List<String> since() {
        List<String> all = new ArrayList<>();
        List<RegionInfo> now = regions();
        for (int index = 0; index < Bar.ROM; index++) {
            if (areasChanged(index, now.get(index))) {
                int changed = index;
                device.irqs().special(IrqInfo.Type.REGION_AREAS).ifPresent(irq -> device.irqs().raise(irq, changed));
            }
        }
        for (DeviceHandle handle : device.handles()) {
            for (int index = 0; index < now.size(); index++) {
                boolean was = index < before.size() && before.get(index).size() > 0;
                boolean is = now.get(index).size() > 0;
                if (was && is) {
                    addMapped(all, handle, index, now.get(index));
                } else if (is && !handle.knows(index)) {
                    all.add("client=%s region=%d is not announced".formatted(handle.client().name(), index));
                } else if (was && !is) {
                    all.add("client=%s region=%d is empty now".formatted(handle.client().name(), index));
                }
            }
            for (int irq = irqsBefore; irq < device.irqs().count(); irq++) {
                all.add("client=%s irq=%d is not announced".formatted(handle.client().name(), irq));
            }
        }
        return all;
    }

    private boolean areasChanged(int index, RegionInfo now) {
        Region region = device.regions().all().get(index);
        return !areas(RegionView.cut(before.get(index), region, true)).equals(areas(RegionView.cut(now, region, true)));
    }

    /// Parts that the client may have mapped, and that the mediation wants to see now, always or at times. A region that mediations
    /// added is theirs: what they offer of it they need not see.
    private void addMapped(List<String> all, DeviceHandle handle, int index, RegionInfo now) {
        Region region = device.regions().all().get(index);
        boolean asksAgain = index < Bar.ROM && device.trapSwitch().tellsAreas(handle, index) && areasChanged(index, now);
        List<MmapArea> mapped = areas(RegionView.cut(asksAgain ? now : before.get(index), region, handle.told()));
        if (index >= RegionIndex.FIRST_SPECIFIC) {
            List<MmapArea> offered = areas(RegionView.cut(now, region, handle.told()));
            mapped.stream().filter(area -> offered.stream().noneMatch(wider -> contains(wider, area)))
                .forEach(area -> all.add(mappedPart(handle, index, area.offset(), area.end())));
            return;
        }
        List<Claim> wanted = new ArrayList<>(device.interests().claimed());
        if (!handle.told()) {
            wanted.addAll(RegionView.disablable(now, region));
        }
        for (MmapArea area : mapped) {
            for (Claim claim : wanted) {
                Range range = claim.range();
                if (claim.region() == index && range.overlaps(area.offset(), area.size())) {
                    long first = Math.max(area.offset(), range.offset());
                    long end = Math.min(area.end(), range.end());
                    all.add(mappedPart(handle, index, first, end));
                }
            }
        }
    }

    private static String mappedPart(DeviceHandle handle, int index, long first, long end) {
        return "client=%s region=%d 0x%x-0x%x may be mapped: what is done there passes the mediator by".formatted(handle.client().name(),
            index, first, end - 1);
    }

    private static boolean contains(MmapArea wider, MmapArea area) {
        return wider.offset() <= area.offset() && area.end() <= wider.end();
    }

    private static List<MmapArea> areas(RegionInfo info) {
        return info.sparseMmap().map(RegionCapability.SparseMmap::areas).orElse(List.of());
    }
}
