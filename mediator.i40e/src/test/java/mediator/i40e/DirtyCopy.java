// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;

/// Brings the copy of a guest's memory up to date by what is reported, and counts.
final class DirtyCopy {
    static final int PAGES = (int) (TruthMemory.SIZE / TruthMemory.PAGE);

    private final TruthMemory memory;
    private final Migration migration;
    private final MemorySegment bitmap = MemorySegment.ofArray(new long[PAGES / Long.SIZE]);
    private int reports;
    private int reported;
    private int surplus;

    DirtyCopy(TruthMemory memory, Migration migration) {
        this.memory = memory;
        this.migration = migration;
    }

    /// Copies the pages that are reported now.
    ///
    /// @return how many
    int report() throws VfioException {
        bitmap.fill((byte) 0);
        migration.reportDirty(TruthMemory.IOVA, TruthMemory.SIZE, TruthMemory.PAGE, bitmap, 0);
        reports++;
        int before = reported;
        for (int page = 0; page < PAGES; page++) {
            if ((bitmap.getAtIndex(ValueLayout.JAVA_LONG, page / Long.SIZE) & 1L << page % Long.SIZE) != 0) {
                reported++;
                surplus += memory.copy(page) ? 0 : 1;
            }
        }
        return reported - before;
    }

    int reports() {
        return reports;
    }

    /// Pages that were copied.
    int reported() {
        return reported;
    }

    /// Those of them that had not changed.
    int surplus() {
        return surplus;
    }
}
