// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.Arrays;
import java.util.List;
import vfio.pci.api.Range;
import vfio.pci.api.mediation.Claim;

/// Ranges by region, as an immutable snapshot made for one question: does this access overlap any? Most do not, and most of those are
/// told by the
/// envelope of the region's ranges.
public final class Claims {
    /// No range at all.
    public static final Claims NONE = new Claims(new long[0], new long[0], new Range[0][]);

    /// The table has an entry for each region up to the last one claimed.
    private static final int MOST_REGIONS = 0x1_0000;

    private final long[] first;
    private final long[] end;
    private final Range[][] ranges;

    private Claims(long[] first, long[] end, Range[][] ranges) {
        this.first = first;
        this.end = end;
        this.ranges = ranges;
    }

    /// A snapshot of these.
    ///
    /// @throws IllegalArgumentException for a region no device could have
    public static Claims of(List<Claim> claims) {
        if (claims.isEmpty()) {
            return NONE;
        }
        int last = claims.stream().mapToInt(Claim::region).max().getAsInt();
        if (last >= MOST_REGIONS) {
            throw new IllegalArgumentException("claimed region=%d expected=below %d".formatted(last, MOST_REGIONS));
        }
        int regions = last + 1;
        long[] first = new long[regions];
        long[] end = new long[regions];
        Range[][] ranges = new Range[regions][];
        for (int region = 0; region < regions; region++) {
            int index = region;
            ranges[region] = claims.stream().filter(claim -> claim.region() == index).map(Claim::range).sorted().toArray(Range[]::new);
            first[region] = Arrays.stream(ranges[region]).mapToLong(Range::offset).min().orElse(Long.MAX_VALUE);
            end[region] = Arrays.stream(ranges[region]).mapToLong(Range::end).max().orElse(0);
        }
        return new Claims(first, end, ranges);
    }

    /// Whether any byte of the access lies in any range.
    public boolean overlap(int region, long offset, int count) {
        return region < end.length && offset < end[region] && offset > first[region] - count && overlapsAny(region, offset, count);
    }

    private boolean overlapsAny(int region, long offset, int count) {
        for (Range range : ranges[region]) {
            if (range.overlaps(offset, count)) {
                return true;
            }
        }
        return false;
    }

    /// One past the last byte of the region's ranges; 0 when it has none.
    public long end(int region) {
        return region < end.length ? end[region] : 0;
    }
}
