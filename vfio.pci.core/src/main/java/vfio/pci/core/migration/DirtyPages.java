// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.DirtyLog;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.core.dma.WriteLog;

/// Which pages a device wrote, a bit for each page of the ranges a client asked for.
///
/// Marking is an atomic OR after the write, and reporting takes bits out atomically before the client reads the page: so a page that is
/// written while it is reported is in this report or in the next one. Nothing is kept of mappings, so their coming and going loses no bit.
public final class DirtyPages implements DirtyLog, WriteLog {
    /// The smallest page there is a bit for.
    public static final long SMALLEST_PAGE = 0x1000;
    /// Most ranges; Linux takes as many as fit a page (`drivers/vfio/vfio_main.c`, `LOG_MAX_RANGES`).
    static final int MOST_RANGES = 256;
    /// Most bytes of bits: 2 TiB at 4 KiB a page.
    static final long MOST_BYTES = 64 << 20;

    private static final ValueLayout.OfLong BITMAP = ValueLayout.JAVA_LONG_UNALIGNED;

    private final int shift;
    private final List<Logged> logged = new ArrayList<>();
    /// Calls its argument with each writable mapping.
    private final Consumer<Consumer<IovaRange>> mappings;
    private volatile boolean transfers;
    private volatile boolean everything;

    /// A range with its bits.
    ///
    /// @param first number of its first page
    /// @param pages how many there are
    private record Logged(long first, long pages, PageBits bits) {
        long last() {
            return first + pages - 1;
        }
    }

    /// A log in which all is clean.
    ///
    /// @param mappings calls its argument with each range that the device may write now
    /// @throws VfioException EINVAL for a page size or range that is wrong; ENOSPC for more than is kept
    public DirtyPages(long pageSize, List<IovaRange> ranges, Consumer<Consumer<IovaRange>> mappings) throws VfioException {
        this.shift = shift(pageSize);
        this.mappings = mappings;
        if (ranges.size() > MOST_RANGES) {
            throw new VfioException(Errno.ENOSPC, "ranges=%d expected=at most %d".formatted(ranges.size(), MOST_RANGES));
        }
        long bytes = 0;
        List<IovaRange> sorted = ranges.stream().sorted(Comparator.comparing(IovaRange::iova, Long::compareUnsigned)).toList();
        for (int i = 0; i < sorted.size(); i++) {
            IovaRange range = sorted.get(i);
            checkPages(range.iova(), range.length(), SMALLEST_PAGE);
            if (i > 0 && range.overlaps(sorted.get(i - 1))) {
                throw new VfioException(Errno.EINVAL, "iova=0x%x length=0x%x expected=ranges that do not overlap".formatted(range.iova(),
                    range.length()));
            }
            bytes += Math.ceilDiv(wordsFor(range), PageBits.BLOCK) * PageBits.BLOCK * Long.BYTES;
            if (bytes > MOST_BYTES) {
                throw new VfioException(Errno.ENOSPC, "iova=0x%x length=0x%x page_size=0x%x expected=at most 0x%x bytes of bits".formatted(
                    range.iova(), range.length(), pageSize, MOST_BYTES));
            }
        }
        for (IovaRange range : sorted) {
            long first = range.iova() >>> shift;
            logged.add(new Logged(first, (range.last() >>> shift) - first + 1, new PageBits(wordsFor(range))));
        }
    }

    private long wordsFor(IovaRange range) {
        return ((range.last() >>> shift) - (range.iova() >>> shift) + Long.SIZE) / Long.SIZE;
    }

    private static int shift(long pageSize) throws VfioException {
        if (Long.bitCount(pageSize) != 1 || pageSize < SMALLEST_PAGE) {
            throw new VfioException(Errno.EINVAL, "page_size=0x%x expected=a power of two, 0x%x or more".formatted(pageSize,
                SMALLEST_PAGE));
        }
        return Long.numberOfTrailingZeros(pageSize);
    }

    private static void checkPages(long iova, long length, long pageSize) throws VfioException {
        if ((iova | length) % pageSize != 0 || length == 0 || Long.compareUnsigned(iova, -length) > 0) {
            throw new VfioException(Errno.EINVAL, "iova=0x%x length=0x%x expected=pages of 0x%x that do not wrap".formatted(iova, length,
                pageSize));
        }
    }

    @Override
    public void mark(long iova, long length) {
        if (length == 0) {
            return;
        }
        long end = iova + length - 1;
        long first = iova >>> shift;
        long last = (Long.compareUnsigned(end, iova) < 0 ? -1L : end) >>> shift;
        for (int i = 0; i < logged.size(); i++) {
            Logged range = logged.get(i);
            if (first <= range.last() && last >= range.first) {
                markPages(range, Math.max(first, range.first) - range.first, Math.min(last, range.last()) - range.first);
            }
        }
    }

    private static void markPages(Logged range, long first, long last) {
        for (int word = (int) (first >>> 6); word <= (int) (last >>> 6); word++) {
            range.bits.set(word, mask(first, last, word));
        }
    }

    /// The bits of a word that stand for pages `first` to `last`.
    private static long mask(long first, long last, int word) {
        long low = Math.max(first - ((long) word << 6), 0);
        long high = Math.min(last - ((long) word << 6), Long.SIZE - 1);
        return -1L << low & -1L >>> Long.SIZE - 1 - high;
    }

    @Override
    public void markTransfers(boolean on) {
        transfers = on;
    }

    @Override
    public void markEverything(boolean on) {
        everything = on;
    }

    @Override
    public void written(long iova, long length) {
        if (transfers) {
            mark(iova, length);
        }
    }

    /// Where everything is marked, what is not mapped any more is so once again.
    @Override
    public void unmapped(long iova, long length) {
        if (everything) {
            mark(iova, length);
        }
    }

    /// As [vfio.pci.api.migration.Migration#reportDirty].
    ///
    /// @return whether any page is dirty
    /// @throws VfioException EINVAL for a range, page size or bitmap that is wrong
    public boolean report(long iova, long length, long pageSize, MemorySegment bitmap, long offset) throws VfioException {
        Report report = Report.of(iova, length, pageSize, bitmap, offset);
        for (Logged range : logged) {
            if (iova >>> shift <= range.last() && report.last >>> shift >= range.first) {
                take(range, report);
            }
        }
        if (everything) {
            mappings.accept(mapping -> everythingOf(mapping, report));
        }
        return report.any;
    }

    /// Whether any page of a range is logged.
    ///
    /// @param length does not wrap
    boolean touches(long iova, long length) {
        return logged.stream().anyMatch(range -> range.first <= iova + length - 1 >>> shift && range.last() >= iova >>> shift);
    }

    /// Sets the bits of pages that are not logged, or not as a whole.
    ///
    /// @return whether there are any
    /// @throws VfioException as [#report]
    boolean addOutside(long iova, long length, long pageSize, MemorySegment bitmap, long offset) throws VfioException {
        Report report = Report.of(iova, length, pageSize, bitmap, offset);
        long from = iova;
        for (Logged range : logged) {
            long first = range.first << shift;
            if (Long.compareUnsigned(from, first) < 0) {
                report.add(from, first - 1);
            }
            long next = range.last() + 1 << shift;
            if (next == 0) {
                // It ends with the last address there is.
                return report.any;
            }
            from = unsignedMax(from, next);
        }
        report.add(from, report.last);
        return report.any;
    }

    private void everythingOf(IovaRange mapping, Report report) {
        for (Logged range : logged) {
            long first = unsignedMax(mapping.iova(), range.first << shift);
            long last = unsignedMin(mapping.last(), (range.last() << shift) + (1L << shift) - 1);
            if (Long.compareUnsigned(first, last) <= 0) {
                report.add(first, last);
            }
        }
    }

    private void take(Logged range, Report report) {
        long first = Math.max(report.iova >>> shift, range.first) - range.first;
        long last = Math.min(report.last >>> shift, range.last()) - range.first;
        // A page that the report covers in part stays dirty for the rest of it.
        long firstWhole = (range.first + first << shift) < report.iova ? first + 1 : first;
        long lastWhole = (range.first + last << shift) + (1L << shift) - 1 > report.last ? last - 1 : last;
        boolean sameBits = report.shift == shift && (range.first - (report.iova >>> shift) & 63) == 0;
        long shifted = range.first - (report.iova >>> shift) >> 6;
        int lastWord = (int) (last >>> 6);
        for (int word = (int) (first >>> 6); word <= lastWord; word++) {
            int words = Math.min(PageBits.BLOCK, (int) (range.pages - 1 >>> 6) + 1 - word);
            if (sameBits && word % PageBits.BLOCK == 0 && firstWhole <= (long) word << 6
                && lastWhole >= Math.min((long) (word + words) << 6, range.pages) - 1) {
                report.addBlock(range.bits, word, words, shifted + word);
                word += words - 1;
            } else if (!range.bits.isClear(word)) {
                long wanted = mask(first, last, word);
                long cleared = firstWhole > lastWhole ? 0 : wanted & wholeMask(firstWhole, lastWhole, word);
                long dirty = range.bits.take(word, cleared) & wanted;
                if (sameBits) {
                    report.addWord(shifted + word, dirty);
                } else {
                    addPages(range, word, dirty, report);
                }
            }
        }
    }

    private static long wholeMask(long first, long last, int word) {
        boolean outside = last < (long) word << 6 || first > ((long) word << 6) + 63;
        return outside ? 0 : mask(first, last, word);
    }

    private void addPages(Logged range, int word, long dirty, Report report) {
        for (long left = dirty; left != 0; left &= left - 1) {
            long page = range.first + ((long) word << 6) + Long.numberOfTrailingZeros(left);
            report.add(unsignedMax(page << shift, report.iova), unsignedMin((page << shift) + (1L << shift) - 1, report.last));
        }
    }

    private static long unsignedMax(long a, long b) {
        return Long.compareUnsigned(a, b) >= 0 ? a : b;
    }

    private static long unsignedMin(long a, long b) {
        return Long.compareUnsigned(a, b) <= 0 ? a : b;
    }

    /// A bitmap that is being filled.
    private static final class Report {
        private final long iova;
        /// The last address it covers.
        private final long last;
        private final int shift;
        private final MemorySegment bitmap;
        private final long offset;
        private boolean any;

        private Report(long iova, long last, int shift, MemorySegment bitmap, long offset) {
            this.iova = iova;
            this.last = last;
            this.shift = shift;
            this.bitmap = bitmap;
            this.offset = offset;
        }

        static Report of(long iova, long length, long pageSize, MemorySegment bitmap, long offset) throws VfioException {
            int shift = shift(pageSize);
            checkPages(iova, length, pageSize);
            long pages = length >>> shift;
            long bytes = (pages + Long.SIZE - 1) / Long.SIZE * Long.BYTES;
            if (offset < 0 || bytes > bitmap.byteSize() - offset) {
                throw new VfioException(Errno.EINVAL, "length=0x%x page_size=0x%x bitmap=0x%x expected=0x%x bytes".formatted(length,
                    pageSize, bitmap.byteSize() - offset, bytes));
            }
            return new Report(iova, iova + length - 1, shift, bitmap, offset);
        }

        /// @param first and last addresses, cut to the report
        void add(long first, long end) {
            long from = unsignedMax(first, iova);
            long to = unsignedMin(end, last);
            if (Long.compareUnsigned(from, to) > 0) {
                return;
            }
            long low = from - iova >>> shift;
            long high = to - iova >>> shift;
            for (long word = low >>> 6; word <= high >>> 6; word++) {
                addWord(word, mask(low, high, (int) word));
            }
        }

        void addBlock(PageBits bits, int word, int words, long to) {
            any |= bits.takeBlock(word, words, bitmap, offset + to * Long.BYTES);
        }

        void addWord(long word, long bits) {
            long at = offset + word * Long.BYTES;
            bitmap.set(BITMAP, at, bitmap.get(BITMAP, at) | bits);
            any |= bits != 0;
        }
    }
}
