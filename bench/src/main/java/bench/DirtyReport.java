// SPDX-License-Identifier: Apache-2.0
package bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.core.migration.DirtyPages;

/// Reports of an address space of 64 GiB, and plain passes over as many bits.
final class DirtyReport implements AutoCloseable {
    static final long PAGE = 0x1000;
    static final long SPACE = 64L << 30;
    static final int PAGES = (int) (SPACE / PAGE);
    /// As many bits as the migration region answers at once.
    static final long PART = 0x1_0000 * 8 * PAGE;

    private static final int WORDS = PAGES / Long.SIZE;

    private final Arena arena = Arena.ofConfined();
    private final DirtyPages log;
    private final MemorySegment bitmap = arena.allocate(PAGES / 8, 0x1000);
    private final long[] words = new long[WORDS];
    private final Random random = new Random(64);

    DirtyReport() {
        try {
            log = new DirtyPages(PAGE, List.of(new IovaRange(0, SPACE)), each -> { });
        } catch (VfioException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Has some pages written, in the log and in the words of the plain passes.
    void write(int pages) {
        for (int i = 0; i < pages; i++) {
            int page = random.nextInt(PAGES);
            log.mark(page * PAGE, 1);
            words[page >>> 6] |= 1L << page;
        }
        bitmap.fill((byte) 0);
    }

    /// Takes all reports, a part at a time.
    ///
    /// @return nanoseconds
    long report(long part) {
        long start = System.nanoTime();
        try {
            for (long iova = 0; iova < SPACE; iova += part) {
                log.report(iova, part, PAGE, bitmap, iova / PAGE / 8);
            }
        } catch (VfioException e) {
            throw new IllegalStateException(e);
        }
        return System.nanoTime() - start;
    }

    /// Reads each word.
    ///
    /// @return nanoseconds
    long read() {
        long start = System.nanoTime();
        long all = 0;
        for (int i = 0; i < WORDS; i++) {
            all |= words[i];
        }
        long end = System.nanoTime();
        if (all == 0) {
            throw new IllegalStateException("nothing was written");
        }
        return end - start;
    }

    /// Reads each word, adds it to an answer, and clears it.
    ///
    /// @return nanoseconds
    long take() {
        long start = System.nanoTime();
        for (int i = 0; i < WORDS; i++) {
            long at = (long) i << 3;
            bitmap.set(ValueLayout.JAVA_LONG, at, bitmap.get(ValueLayout.JAVA_LONG, at) | words[i]);
            words[i] = 0;
        }
        return System.nanoTime() - start;
    }

    /// Pages in the answer.
    int answered() {
        int pages = 0;
        for (int i = 0; i < WORDS; i++) {
            pages += Long.bitCount(bitmap.getAtIndex(ValueLayout.JAVA_LONG, i));
        }
        return pages;
    }

    /// Empties the answer.
    void clear() {
        bitmap.fill((byte) 0);
    }

    @Override
    public void close() {
        arena.close();
    }
}
