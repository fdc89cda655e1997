// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import linux.sys.Mapping;
import vfio.pci.api.Range;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.mediation.Claim;

/// What one client has mapped of a device's regions, and which files it was handed by which it maps what it likes, unseen.
final class ClientMaps implements AutoCloseable {
    private final List<Map> maps = new CopyOnWriteArrayList<>();
    /// Regions whose file the client has: for good, as nobody sees it close one.
    private final Set<Integer> files = ConcurrentHashMap.newKeySet();

    /// What the client was told that it may map of a region, since it said last that it has acted on what it is told.
    private final java.util.Map<Integer, Told> told = new ConcurrentHashMap<>();
    private final Runnable unmapped;

    private record Told(List<MmapArea> before, List<MmapArea> last) {
        Told then(List<MmapArea> now) {
            return now.equals(last) ? this : new Told(Stream.concat(before.stream(), last.stream()).distinct().toList(), now);
        }

        boolean overlaps(Range range) {
            return Stream.concat(before.stream(), last.stream()).anyMatch(area -> range.overlaps(area.offset(), area.size()));
        }
    }

    /// @param unmapped run after a map was closed
    ClientMaps(Runnable unmapped) {
        this.unmapped = unmapped;
    }

    /// A map, which both the client and the device may close.
    final class Map implements RegionMap {
        private final int region;
        private final long offset;
        private final Mapping mapping;

        private Map(int region, long offset, Mapping mapping) {
            this.region = region;
            this.offset = offset;
            this.mapping = mapping;
        }

        /// Whether a part of it is in that range.
        boolean overlaps(Claim area) {
            return region == area.region() && area.range().overlaps(offset, mapping.memory().byteSize());
        }

        @Override
        public MemorySegment memory() {
            return mapping.memory();
        }

        @Override
        public void close() {
            if (maps.remove(this)) {
                mapping.close();
                unmapped.run();
            }
        }
    }

    Map add(int region, long offset, Mapping mapping) {
        Map map = new Map(region, offset, mapping);
        maps.add(map);
        return map;
    }

    /// The client is handed a region's file.
    ///
    /// @return whether it had none before
    boolean giveFile(int region) {
        return files.add(region);
    }

    /// The client was not handed the file after all.
    void takeFileBack(int region, boolean first) {
        if (first) {
            files.remove(region);
        }
    }

    /// The client is told which parts of a region it may map.
    void told(int region, List<MmapArea> areas) {
        told.merge(region, new Told(List.of(), List.copyOf(areas)), (then, now) -> then.then(now.last));
    }

    /// The client has said that it maps nothing but what it was told last.
    void acknowledged() {
        told.replaceAll((region, then) -> new Told(List.of(), then.last));
    }

    /// Whether the client has a part of that range mapped, or may have by its file, where it keeps to what it was told.
    boolean mayMap(Claim range) {
        return maps.stream().anyMatch(map -> map.overlaps(range))
            || files.contains(range.region()) && told.containsKey(range.region()) && told.get(range.region()).overlaps(range.range());
    }

    /// Whether the client may reach registers of a BAR without an access that is seen.
    boolean reachBar() {
        return files.stream().anyMatch(region -> region <= RegionIndex.BAR5)
            || maps.stream().anyMatch(map -> map.region <= RegionIndex.BAR5);
    }

    /// Whether the client may reach a part of that range so.
    boolean reach(Claim area) {
        return files.contains(area.region()) || maps.stream().anyMatch(map -> map.overlaps(area));
    }

    @Override
    public void close() {
        maps.forEach(Map::close);
    }
}
