// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Snapshots of many mappings, against a sorted map of them.
class DmaSnapshotTest {
    private static final int PAGE = 0x1000;
    /// The highest addresses there are, and low ones behind them: addresses are unsigned.
    private static final long BASE = -0x800L * PAGE;

    private final TreeMap<Long, DmaEntry> expected = new TreeMap<>(Long::compareUnsigned);
    private DmaSnapshot snapshot = DmaSnapshot.empty();

    private static DmaEntry entry(long iova, long size) {
        return new DmaEntry("client", iova, size, true, true, null, null, null);
    }

    private static List<DmaEntry> all(DmaSnapshot of) {
        List<DmaEntry> entries = new ArrayList<>();
        of.forEach(entries::add);
        return entries;
    }

    private void add(long iova, long size) throws VfioException {
        DmaEntry fresh = entry(iova, size);
        boolean overlaps = expected.values().stream().anyMatch(fresh::overlaps);
        if (overlaps) {
            assertErrno(Errno.EEXIST, () -> snapshot.with(fresh));
        } else {
            snapshot = snapshot.with(fresh);
            expected.put(iova, fresh);
        }
    }

    private void remove(long iova, long size) {
        List<DmaEntry> gone = expected.values().stream().filter(entry -> entry.overlaps(iova, size)).toList();
        assertThat(snapshot.touching(iova, size)).containsExactlyElementsOf(gone);
        snapshot = snapshot.without(gone);
        gone.forEach(entry -> expected.remove(entry.iova()));
    }

    @Test
    void holdsWhatASortedMapHolds() throws VfioException {
        Random random = new Random(3);
        for (int i = 0; i < 8_000; i++) {
            long iova = random.nextBoolean() ? BASE + (long) random.nextInt(0x7F0) * PAGE : (long) random.nextInt(0x4000) * PAGE;
            // By turns it grows and it shrinks.
            if (random.nextInt(10) < (i / 2_000 % 2 == 0 ? 9 : 3)) {
                add(iova, PAGE * (1L + random.nextInt(3)));
            } else {
                remove(iova, PAGE * (1L + random.nextInt(8)));
            }
            assertThat(snapshot.size()).isEqualTo(expected.size());
            DmaEntry before = expected.floorEntry(iova) == null ? null : expected.floorEntry(iova).getValue();
            assertThat(snapshot.find(iova)).isEqualTo(before != null && before.holds(iova) ? before : null);
        }
        assertThat(all(snapshot)).containsExactlyElementsOf(expected.values()).hasSizeGreaterThan(256);
        remove(0, PAGE * 0x5000L);
        remove(BASE, 0x800L * PAGE);
        assertThat(snapshot.size()).isZero();
        assertThat(all(snapshot)).isEmpty();
        assertThat(snapshot.find(0)).isNull();
    }

    @Test
    void leavesOlderSnapshotsAsTheyWere() throws VfioException {
        for (int i = 999; i >= 0; i--) {
            add((long) i * PAGE, PAGE);
        }
        DmaSnapshot older = snapshot;
        List<DmaEntry> then = List.copyOf(expected.values());
        remove(0x100 * PAGE, 0x200 * PAGE);
        add(2000L * PAGE, PAGE);
        add(0x150 * PAGE, PAGE);
        assertThat(all(older)).containsExactlyElementsOf(then);
        assertThat(older.find(0x151 * PAGE)).isNotNull();
        assertThat(snapshot.find(0x151 * PAGE)).isNull();
    }
}
