// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import vfio.pci.api.migration.IovaRange;

/// What is mapped, as ranges to be logged.
final class MappedRanges {
    private MappedRanges() {
    }

    /// Ranges of whole pages that have every mapping in them: those that adjoin each other are one; where there are too many, so are those
    /// with the least between them.
    ///
    /// @param mappings calls its argument with each mapping, in any order
    /// @param most ranges, at least 1
    static List<IovaRange> of(Consumer<Consumer<IovaRange>> mappings, int most) {
        List<IovaRange> pages = new ArrayList<>();
        mappings.accept(mapping -> pages.add(wholePages(mapping)));
        pages.sort(Comparator.comparing(IovaRange::iova, Long::compareUnsigned));
        List<IovaRange> joined = join(pages, 0);
        if (joined.size() <= most) {
            return joined;
        }
        // The gaps that may stay are the greatest ones; with that bit turned over, longs sort as unsigned.
        long[] gaps = new long[joined.size() - 1];
        for (int i = 0; i < gaps.length; i++) {
            gaps[i] = joined.get(i + 1).iova() - joined.get(i).last() - 1 ^ Long.MIN_VALUE;
        }
        Arrays.sort(gaps);
        return join(joined, gaps[gaps.length - most] ^ Long.MIN_VALUE);
    }

    private static IovaRange wholePages(IovaRange mapping) {
        long first = mapping.iova() & -DirtyPages.SMALLEST_PAGE;
        long last = mapping.last() | DirtyPages.SMALLEST_PAGE - 1;
        return new IovaRange(first, last - first + 1);
    }

    /// @param gap bytes between two ranges that become one, at most
    private static List<IovaRange> join(List<IovaRange> sorted, long gap) {
        List<IovaRange> joined = new ArrayList<>();
        for (IovaRange range : sorted) {
            IovaRange before = joined.isEmpty() ? null : joined.getLast();
            if (before == null || isApart(before, range, gap)) {
                joined.add(range);
            } else {
                long last = Long.compareUnsigned(before.last(), range.last()) >= 0 ? before.last() : range.last();
                joined.set(joined.size() - 1, new IovaRange(before.iova(), last - before.iova() + 1));
            }
        }
        return joined;
    }

    private static boolean isApart(IovaRange before, IovaRange range, long gap) {
        return Long.compareUnsigned(range.iova(), before.last()) > 0 && Long.compareUnsigned(range.iova() - before.last() - 1, gap) > 0;
    }
}
