// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import vfio.pci.api.Errno;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.PciFunction;
import vfio.pci.core.config.ConfigSpace;
import vfio.pci.core.config.MsixTable;
import vfio.pci.core.memory.DeviceMemory;
import vfio.pci.core.region.AbsentRegion;
import vfio.pci.core.region.BarRegion;
import vfio.pci.core.region.ConfigRegion;
import vfio.pci.core.region.Region;

/// The regions of an open device by index. An index never moves while the device is open: a region that goes leaves nothing in its place,
/// and a default
/// region that comes again comes to where it was.
final class DeviceRegions {
    private final Object lock = new Object();
    private volatile Region[] regions;
    /// Guarded by the lock.
    private Interest watched = Interest.NONE;

    DeviceRegions(PciFunction described, BoundFunction function, ConfigSpace config, Map<Integer, DeviceMemory> memories,
            ConfigRegion.ResetRequest reset, Runnable configWritten) {
        Region[] fixed = new Region[RegionIndex.FIRST_SPECIFIC];
        for (int i = 0; i < fixed.length; i++) {
            fixed[i] = new AbsentRegion(i);
        }
        for (Bar bar : described.bars()) {
            List<Range> kept = config.msix().map((MsixTable table) -> table.pagesIn(bar.index())).orElse(List.of());
            fixed[bar.index()] = new BarRegion(bar, function, Optional.ofNullable(memories.get(bar.index())), kept);
        }
        fixed[RegionIndex.CONFIG] = new ConfigRegion(config, reset, configWritten);
        regions = fixed;
    }

    int count() {
        return regions.length;
    }

    Region at(int index) throws VfioException {
        Region[] all = regions;
        if (index < 0 || index >= all.length) {
            throw new VfioException(Errno.EINVAL, "region=%d expected=below %d".formatted(index, all.length));
        }
        return all[index];
    }

    List<Region> all() {
        return Arrays.asList(regions);
    }

    /// Adds a region at the next index.
    int add(IntFunction<Region> region) {
        synchronized (lock) {
            int index = regions.length;
            Region added = region.apply(index);
            added.watched(watched.granules(index));
            Region[] next = Arrays.copyOf(regions, index + 1);
            next[index] = added;
            regions = next;
            return index;
        }
    }

    /// Puts a default region at the index that was kept for it, or adds it.
    ///
    /// @param places indices of default regions by type, kept by the caller
    <R extends Region> R special(Map<RegionCapability.Type, Integer> places, RegionCapability.Type type, IntFunction<R> region) {
        synchronized (lock) {
            Integer place = places.get(type);
            if (place == null) {
                place = add(AbsentRegion::new);
                places.put(type, place);
            }
            R made = region.apply(place);
            replaceLocked(place, made);
            return made;
        }
    }

    /// Leaves nothing at an index.
    void remove(int index) {
        synchronized (lock) {
            replaceLocked(index, new AbsentRegion(index));
        }
    }

    private void replaceLocked(int index, Region region) {
        Region[] next = regions.clone();
        next[index] = region;
        region.watched(watched.granules(index));
        regions = next;
    }

    /// Somebody takes an interest in these accesses.
    void watch(Interest interest) {
        synchronized (lock) {
            watched = interest;
            for (int i = 0; i < regions.length; i++) {
                regions[i].watched(interest.granules(i));
            }
        }
    }

    /// Indices of regions that somebody added.
    List<Integer> special() {
        List<Integer> indices = new ArrayList<>();
        for (int i = RegionIndex.FIRST_SPECIFIC; i < count(); i++) {
            indices.add(i);
        }
        return indices;
    }
}
