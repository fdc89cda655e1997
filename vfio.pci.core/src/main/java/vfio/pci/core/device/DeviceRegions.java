// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import vfio.pci.api.Errno;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.PciFunction;
import vfio.pci.core.binding.Context;
import vfio.pci.core.config.ConfigSpace;
import vfio.pci.core.config.MsixTable;
import vfio.pci.core.region.AbsentRegion;
import vfio.pci.core.region.BarRegion;
import vfio.pci.core.region.ConfigRegion;
import vfio.pci.core.region.Region;

/// The regions of an open device by index. An index never moves while the device is open: a region that goes leaves nothing in its place,
/// and one that comes again comes to where it was.
final class DeviceRegions {
    private final Object lock = new Object();
    private final Places<AddedKind> places = new Places<>();
    /// Regions of a mediation that is tried in place of another, by index; guarded by the lock.
    private final Map<Integer, Region> next = new HashMap<>();
    private volatile Region[] regions;
    /// Guarded by the lock.
    private Interest watched = Interest.NONE;

    DeviceRegions(PciFunction described, BoundFunction function, ConfigSpace config, BarMemories memories,
            ConfigRegion.ResetRequest reset, Runnable configWritten) {
        Region[] fixed = new Region[RegionIndex.FIRST_SPECIFIC];
        for (int i = 0; i < fixed.length; i++) {
            fixed[i] = new AbsentRegion(i);
        }
        for (Bar bar : described.bars()) {
            List<Range> kept = config.msix().map((MsixTable table) -> table.pagesIn(bar.index())).orElse(List.of());
            fixed[bar.index()] = new BarRegion(bar, function, memories.of(bar.index()), kept);
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

    /// The regions as the mediation that is tried in place of another will find them.
    List<Region> allOf(Context owner) {
        synchronized (lock) {
            Region[] seen = regions.clone();
            next.forEach((index, region) -> seen[index] = places.isHeir(index, owner) ? region : seen[index]);
            return Arrays.asList(seen);
        }
    }

    /// Adds a region of a mediation's: where one like it was before, so that a client finds it there, or at the next index. What is still
    /// its predecessor's it has from [#settle].
    int add(Context owner, AddedKind kind, IntFunction<Region> region) {
        synchronized (lock) {
            int index = places.take(kind, owner, owner.predecessor(), this::extendLocked);
            Region made = region.apply(index);
            if (places.isHeir(index, owner)) {
                next.put(index, made);
            } else {
                replaceLocked(index, made);
            }
            return index;
        }
    }

    private int extendLocked() {
        int index = regions.length;
        Region[] longer = Arrays.copyOf(regions, index + 1);
        longer[index] = new AbsentRegion(index);
        regions = longer;
        return index;
    }

    /// A mediation has taken over from its predecessor.
    void settle(Context owner) {
        synchronized (lock) {
            places.settle(owner).forEach(index -> replaceLocked(index, next.remove(index)));
        }
    }

    /// A mediation has no regions any more.
    void leave(Context owner) {
        synchronized (lock) {
            next.keySet().removeIf(index -> places.isHeir(index, owner));
            places.leave(owner).forEach(index -> replaceLocked(index, new AbsentRegion(index)));
        }
    }

    /// Puts a default region at the index that was kept for it, or adds it.
    ///
    /// @param kept indices of default regions by type, of the caller
    <R extends Region> R special(Map<RegionCapability.Type, Integer> kept, RegionCapability.Type type, IntFunction<R> region) {
        synchronized (lock) {
            Integer place = kept.get(type);
            if (place == null) {
                place = extendLocked();
                kept.put(type, place);
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
        Region[] changed = regions.clone();
        changed[index] = region;
        region.watched(watched.granules(index));
        regions = changed;
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
}
