// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.core.VfioErrors;

class DirtyPagesTest {
    private static final long PAGE = 0x1000;
    private static final Consumer<Consumer<IovaRange>> NO_MAPPINGS = each -> { };

    private static DirtyPages log(long pageSize, IovaRange... ranges) throws VfioException {
        return new DirtyPages(pageSize, List.of(ranges), NO_MAPPINGS);
    }

    /// Numbers of the pages that a report says are dirty.
    private static BitSet report(DirtyPages pages, long iova, long length, long pageSize) throws VfioException {
        long[] words = new long[(int) ((length / pageSize + 63) / 64)];
        pages.report(iova, length, pageSize, MemorySegment.ofArray(words), 0);
        return BitSet.valueOf(words);
    }

    private static BitSet bits(int... set) {
        BitSet bits = new BitSet();
        for (int bit : set) {
            bits.set(bit);
        }
        return bits;
    }

    @Test
    void refusesWrongPageSizesAndRanges() throws VfioException {
        for (long size : new long[] {0, 1, 0x800, 0x1800, -1}) {
            assertThat(VfioErrors.of(() -> log(size, new IovaRange(0, PAGE))).errno()).as("page 0x%x", size).isEqualTo(Errno.EINVAL);
        }
        assertThat(VfioErrors.of(() -> log(PAGE, new IovaRange(0x800, PAGE))).errno()).isEqualTo(Errno.EINVAL);
        assertThat(VfioErrors.of(() -> log(PAGE, new IovaRange(0, 0x1800))).errno()).isEqualTo(Errno.EINVAL);
        assertThat(VfioErrors.of(() -> log(PAGE, new IovaRange(0, 2 * PAGE), new IovaRange(PAGE, PAGE)))).hasMessageContaining("overlap");
        assertThat(VfioErrors.of(() -> log(PAGE, new IovaRange(0, 1L << 62))).errno()).isEqualTo(Errno.ENOSPC);
        DirtyPages pages = log(PAGE, new IovaRange(0, PAGE));
        assertThat(VfioErrors.of(() -> report(pages, 1, PAGE, PAGE)).errno()).isEqualTo(Errno.EINVAL);
        assertThat(VfioErrors.of(() -> report(pages, -PAGE, 2 * PAGE, PAGE)).errno()).isEqualTo(Errno.EINVAL);
        assertThat(VfioErrors.of(() -> pages.report(0, 65 * PAGE, PAGE, MemorySegment.ofArray(new long[1]), 0)).errno())
            .isEqualTo(Errno.EINVAL);
    }

    @Test
    void reportsEachPageOnce() throws VfioException {
        DirtyPages pages = log(PAGE, new IovaRange(0x10_0000, 0x10_0000));
        pages.mark(0x10_0FFF, 2);
        pages.mark(0x1F_F000, 0x5000);
        pages.mark(0x0F_F000, 0x1001);
        assertThat(report(pages, 0x10_0000, 0x10_0000, PAGE)).isEqualTo(bits(0, 1, 0xFF));
        assertThat(report(pages, 0x10_0000, 0x10_0000, PAGE)).isEqualTo(bits());
    }

    @Test
    void keepsWhatWasNotAskedFor() throws VfioException {
        DirtyPages pages = log(PAGE, new IovaRange(0, 0x20_0000));
        pages.mark(0, 0x20_0000);
        assertThat(report(pages, 0x3000, 0x2000, PAGE)).isEqualTo(bits(0, 1));
        assertThat(report(pages, 0, 0x8000, PAGE)).isEqualTo(bits(0, 1, 2, 5, 6, 7));
        assertThat(report(pages, 0, 0x20_0000, PAGE).cardinality()).isEqualTo(0x200 - 8);
    }

    @Test
    void reportsInLargerAndSmallerPages() throws VfioException {
        DirtyPages pages = log(0x4000, new IovaRange(0, 0x10_0000));
        pages.mark(0x8000, 1);
        pages.mark(0x4_0000, 1);
        assertThat(report(pages, 0x9000, 0x2000, PAGE)).isEqualTo(bits(0, 1));
        assertThat(report(pages, 0x8000, 0x8000, PAGE)).as("part of a page was asked for, so it stayed").isEqualTo(bits(0, 1, 2, 3));
        assertThat(report(pages, 0x8000, 0x8000, PAGE)).isEqualTo(bits());
        assertThat(report(pages, 0, 0x10_0000, 0x1_0000)).isEqualTo(bits(4));
    }

    @Test
    void reachesTheLastAddress() throws VfioException {
        DirtyPages pages = log(PAGE, new IovaRange(-0x10_0000, 0x10_0000), new IovaRange(0, PAGE));
        pages.mark(-1, 1);
        pages.mark(-PAGE, 5 * PAGE);
        pages.mark(Long.MIN_VALUE, -1L >>> 1);
        assertThat(report(pages, -0x10_0000, 0x10_0000, PAGE).nextSetBit(0)).isZero();
        assertThat(report(pages, 0, PAGE, PAGE)).as("a range that would wrap ends at the last address").isEqualTo(bits());
    }

    @Test
    void marksTransfersOnlyWhenTold() throws VfioException {
        DirtyPages pages = log(PAGE, new IovaRange(0, 0x10_0000));
        pages.written(0, 1);
        pages.markTransfers(true);
        pages.written(PAGE, 1);
        pages.markTransfers(false);
        pages.written(2 * PAGE, 1);
        assertThat(report(pages, 0, 0x10_0000, PAGE)).isEqualTo(bits(1));
    }

    @Test
    void marksEverythingThatIsMapped() throws VfioException {
        DirtyPages pages = new DirtyPages(PAGE, List.of(new IovaRange(0, 0x10_0000)), each -> {
            each.accept(new IovaRange(0x2000, 0x2000));
            each.accept(new IovaRange(0xF_F000, 0x1_0000));
        });
        pages.markEverything(true);
        assertThat(report(pages, 0x1000, 0xF_F000, PAGE)).isEqualTo(bits(1, 2, 0xFE));
        assertThat(report(pages, 0x1000, 0xF_F000, PAGE)).isEqualTo(bits(1, 2, 0xFE));
        assertThat(report(pages, 0, 0x40_0000, 0x10_0000)).as("pages outside the log are clean").isEqualTo(bits(0));
    }

    /// Against a set of pages kept by hand.
    @Test
    void agreesWithASetOfPages() throws VfioException {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            long logPage = PAGE << random.nextInt(4);
            long base = random.nextInt(64) * 0x8000L;
            long size = (1 + random.nextInt(300)) * 0x8000L;
            DirtyPages pages = log(logPage, new IovaRange(base, size));
            TreeSet<Long> dirty = new TreeSet<>();
            for (int turn = 0; turn < 40; turn++) {
                long at = base + random.nextLong(size);
                long count = 1 + random.nextLong(0x9000);
                pages.mark(at, count);
                for (long page = at / logPage; page <= Math.min(at + count - 1, base + size - 1) / logPage; page++) {
                    dirty.add(page);
                }
                if (random.nextInt(4) == 0) {
                    checkReport(seed, random, pages, dirty, logPage);
                }
            }
        }
    }

    private static void checkReport(int seed, Random random, DirtyPages pages, TreeSet<Long> dirty, long logPage) throws VfioException {
        long reportPage = PAGE << random.nextInt(5);
        long iova = random.nextInt(200) * reportPage;
        long length = (1 + random.nextInt(400)) * reportPage;
        BitSet expected = new BitSet();
        for (long page : dirty) {
            for (long part = page * logPage; part < (page + 1) * logPage; part += PAGE) {
                if (part >= iova && part < iova + length) {
                    expected.set((int) ((part - iova) / reportPage));
                }
            }
        }
        assertThat(report(pages, iova, length, reportPage)).as("seed %d", seed).isEqualTo(expected);
        dirty.removeIf(page -> page * logPage >= iova && (page + 1) * logPage <= iova + length);
    }

    /// Over many blocks of bits, of which reports cover some as a whole and some in part.
    @Test
    void agreesWithASetOfPagesOfALargeRange() throws VfioException {
        int count = 7 * 0x8000 + 1234;
        for (int seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            long base = (1L << 20) + random.nextInt(3) * 64L;
            DirtyPages pages = log(PAGE, new IovaRange(base * PAGE, count * PAGE));
            BitSet dirty = new BitSet();
            for (int turn = 0; turn < 30; turn++) {
                for (int i = 0; i < 3000; i++) {
                    int page = random.nextInt(count);
                    pages.mark((base + page) * PAGE + 5, 1);
                    dirty.set(page);
                }
                int from = random.nextInt(4) == 0 ? 0 : random.nextInt(count) & -(1 << random.nextInt(16));
                int to = random.nextInt(4) == 0 ? count : from + 1 + random.nextInt(count - from);
                BitSet expected = dirty.get(from, to);
                assertThat(report(pages, (base + from) * PAGE, (to - from) * PAGE, PAGE)).as("seed %d", seed).isEqualTo(expected);
                dirty.clear(from, to);
            }
            assertThat(report(pages, (base - 64) * PAGE, (count + 128) * PAGE, PAGE).get(64, 64 + count)).isEqualTo(dirty);
        }
    }

    /// Each page is marked once a lap, while reports are taken one after another: together they have them all.
    @Test
    void missesNoMarkThatComesWhileBitsAreTaken() throws Exception {
        int count = 64;
        int laps = 500;
        DirtyPages pages = log(PAGE, new IovaRange(0, count * PAGE));
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger done = new AtomicInteger();
        Thread writer = Thread.ofPlatform().start(() -> {
            for (int lap = 1; lap <= laps; lap++) {
                while (begun.get() < lap) {
                    Thread.onSpinWait();
                }
                for (int page = 0; page < count; page++) {
                    pages.mark(page * PAGE, 4);
                }
                done.set(lap);
            }
        });
        for (int lap = 1; lap <= laps; lap++) {
            BitSet reported = new BitSet();
            begun.set(lap);
            while (done.get() < lap) {
                reported.or(report(pages, 0, count * PAGE, PAGE));
            }
            reported.or(report(pages, 0, count * PAGE, PAGE));
            assertThat(reported.cardinality()).as("lap %d", lap).isEqualTo(count);
        }
        writer.join();
    }

    /// A writer counts a page up and marks it; a reader takes reports and copies. Whatever is not reported again is copied right.
    @Test
    void losesNothingBetweenAWriterAndAReporter() throws Exception {
        int count = 512;
        DirtyPages pages = log(PAGE, new IovaRange(0, count * PAGE));
        AtomicIntegerArray memory = new AtomicIntegerArray(count);
        int[] copy = new int[count];
        AtomicBoolean stop = new AtomicBoolean();
        Thread writer = Thread.ofPlatform().start(() -> {
            Random random = new Random(7);
            while (!stop.get()) {
                int page = random.nextInt(count);
                memory.setPlain(page, memory.getPlain(page) + 1);
                pages.mark(page * PAGE, 4);
            }
        });
        int rounds = 0;
        while (rounds < 2000) {
            BitSet reported = report(pages, 0, count * PAGE, PAGE);
            // Those before the writer has begun do not count.
            rounds += reported.isEmpty() ? 0 : 1;
            reported.stream().forEach(page -> copy[page] = memory.getPlain(page));
        }
        stop.set(true);
        writer.join();
        report(pages, 0, count * PAGE, PAGE).stream().forEach(page -> copy[page] = memory.getPlain(page));
        for (int page = 0; page < count; page++) {
            assertThat(copy[page]).as("page %d", page).isEqualTo(memory.getPlain(page));
        }
        assertThat(IntStream.of(copy).sum()).isGreaterThanOrEqualTo(rounds);
    }
}
