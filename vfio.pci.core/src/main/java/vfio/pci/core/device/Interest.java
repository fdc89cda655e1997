// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.region.Region;

/// Who takes an interest in which ranges, as an immutable snapshot made for the access path, which asks for those accesses
/// that may interest somebody: most do not.
final class Interest {
    /// The base layer claims the range, and is the lowest: the only one, where nothing else was declared.
    static final int CLAIMED = 1;
    /// A client could map the range, but is kept from it.
    static final int TRAPPED = 2;
    /// From here on up a bit for each other layer that claims the range, the higher the layer the higher the bit.
    static final int STACKED = 4;
    /// In nothing.
    static final Interest NONE = new Interest(Layers.NONE, new InRegion[0]);

    private static final int FIRST = 0;
    private static final int END = 1;
    private static final int WHAT = 2;
    private static final int STRIDE = 3;
    /// The table has an entry for each region up to the last one claimed.
    private static final int MOST_REGIONS = 0x1_0000;
    private static final int GRANULES = Long.SIZE;

    private final Layers layers;
    private final InRegion[] regions;

    /// The ranges of one region.
    ///
    /// @param granules for [Region#watched(long)], so that most accesses need not look at ranges
    /// @param ranges ascending by first byte: first byte, end, what the interest is; then a first byte that no access reaches
    private record InRegion(long granules, long[] ranges) {
        static InRegion of(List<long[]> sorted) {
            long granules = 0;
            long[] ranges = new long[sorted.size() * STRIDE + 1];
            int at = 0;
            for (long[] range : sorted) {
                granules |= granules(range[FIRST] >> Region.WATCH_SHIFT, range[END] - 1 >> Region.WATCH_SHIFT);
                System.arraycopy(range, 0, ranges, at, STRIDE);
                at += STRIDE;
            }
            ranges[at] = Long.MAX_VALUE;
            return new InRegion(granules, ranges);
        }

        /// A bit for each granule from one to another.
        private static long granules(long low, long high) {
            return high - low >= GRANULES - 1 ? -1L : Long.rotateLeft(-1L >>> GRANULES - 1 - (high - low), (int) low);
        }

        int in(long first, int count) {
            long end = first + count;
            int what = 0;
            for (int i = 0; ranges[i + FIRST] < end; i += STRIDE) {
                if (first < ranges[i + END]) {
                    what |= (int) ranges[i + WHAT];
                }
            }
            return what;
        }
    }

    private Interest(Layers layers, InRegion[] regions) {
        this.layers = layers;
        this.regions = regions;
    }

    /// A snapshot of these, where the base layer is the only one.
    ///
    /// @throws IllegalArgumentException for a region no device could have
    static Interest of(List<Claim> claimed, List<Claim> trapped) {
        return of(Layers.NONE, List.of(new Claimed(CLAIMED, claimed)), trapped);
    }

    /// What a layer claims.
    ///
    /// @param bit the layer's
    record Claimed(int bit, List<Claim> claims) {
    }

    /// A snapshot of these.
    ///
    /// @param layers whose bits they are
    /// @throws IllegalArgumentException for a region no device could have
    static Interest of(Layers layers, List<Claimed> claimed, List<Claim> trapped) {
        int last = Stream.concat(claimed.stream().flatMap(layer -> layer.claims().stream()), trapped.stream()).mapToInt(Claim::region).max()
            .orElse(-1);
        if (last >= MOST_REGIONS) {
            throw new IllegalArgumentException("claimed region=%d expected=below %d".formatted(last, MOST_REGIONS));
        }
        int count = last + 1;
        InRegion[] regions = new InRegion[count];
        for (int region = 0; region < count; region++) {
            int index = region;
            regions[region] = InRegion.of(Stream.concat(claimed.stream().flatMap(layer -> in(index, layer.claims(), layer.bit())),
                in(index, trapped, TRAPPED)).sorted(Comparator.comparingLong(range -> range[FIRST])).toList());
        }
        return new Interest(layers, regions);
    }

    /// Whose bits are told.
    Layers layers() {
        return layers;
    }

    private static Stream<long[]> in(int region, List<Claim> claims, long what) {
        return claims.stream().filter(claim -> claim.region() == region).map(Claim::range)
            .map(range -> new long[] {range.offset(), range.end(), what});
    }

    /// Where in a region somebody takes an interest, for [Region#watched(long)].
    long granules(int region) {
        return region < regions.length ? regions[region].granules : 0;
    }

    /// What interest there is in any byte of an access. Its region allows it: the end does not overflow.
    int in(int region, long offset, int count) {
        return region < regions.length ? regions[region].in(offset, count) : 0;
    }
}
