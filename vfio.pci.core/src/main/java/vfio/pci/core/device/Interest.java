// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.Comparator;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import vfio.pci.api.mediation.Claim;

/// Who takes an interest in which ranges, as an immutable snapshot made for the access path, which asks once for each access. Most
/// accesses interest nobody.
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
    private static final int GRANULES_SHIFT = 6;
    private static final int GRANULES = 1 << GRANULES_SHIFT;
    /// Bytes of the accesses that are looked up by where they begin.
    private static final int SHORT = 8;

    private final Layers layers;
    private final InRegion[] regions;

    /// The ranges of one region.
    ///
    /// @param beyond the first byte that lies behind all ranges
    /// @param granules a bit for each granule of the region in which a [#SHORT] access that reaches a range can begin, so that most
    ///     accesses need not look at ranges
    /// @param shift size of a granule, as a power of two
    /// @param ranges ascending by first byte: first byte, end, what the interest is; then a first byte that no access reaches
    private record InRegion(long beyond, long granules, int shift, long[] ranges) {
        static InRegion of(List<long[]> sorted) {
            long beyond = sorted.stream().mapToLong(range -> range[END]).max().orElse(0);
            int shift = Math.max(0, Long.SIZE - Long.numberOfLeadingZeros(Math.max(0, beyond - 1)) - GRANULES_SHIFT);
            long granules = 0;
            for (long[] range : sorted) {
                granules |= granules(Math.max(0, range[FIRST] - (SHORT - 1)) >> shift, range[END] - 1 >> shift);
            }
            return new InRegion(beyond, granules, shift, LongStream.concat(sorted.stream().flatMapToLong(LongStream::of),
                LongStream.of(Long.MAX_VALUE)).toArray());
        }

        /// A bit for each granule from one to another.
        private static long granules(long low, long high) {
            return -1L << low & -1L >>> GRANULES - 1 - high;
        }

        int in(long first, int count) {
            if (first >= beyond || count <= SHORT && (granules >>> (first >> shift) & 1) == 0) {
                return 0;
            }
            return walk(first, first + count);
        }

        private int walk(long first, long end) {
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

    /// What interest there is in any byte of an access. Its region allows it: the end does not overflow.
    int in(int region, long offset, int count) {
        return region < regions.length ? regions[region].in(offset, count) : 0;
    }
}
