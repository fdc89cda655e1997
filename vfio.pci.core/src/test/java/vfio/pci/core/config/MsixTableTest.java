// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import vfio.pci.api.Range;
import vfio.pci.core.function.ConfigBytes;

class MsixTableTest {
    private static MsixTable table(int vectors, int tableBar, int table, int pendingBar, int pending) {
        return MsixTable.at(new ConfigBytes(256).msix(0x40, vectors, tableBar, table, pendingBar, pending).bytes(), 0x40);
    }

    @Test
    void keepsNoPageOfOtherBars() {
        assertThat(table(5, 3, 0, 3, 0x2000).pagesIn(0)).isEmpty();
    }

    @Test
    void keepsThePagesOfTableAndPendingBits() {
        assertThat(table(5, 3, 0, 3, 0x2000).pagesIn(3)).containsExactly(new Range(0, 0x1000), new Range(0x2000, 0x1000));
        MsixTable apart = table(5, 1, 0x800, 2, 0xFF8);
        assertThat(apart.pagesIn(1)).containsExactly(new Range(0, 0x1000));
        assertThat(apart.pagesIn(2)).containsExactly(new Range(0, 0x1000));
    }

    @Test
    void keepsAllPagesThatALongTableTouches() {
        MsixTable most = table(2048, 0, 0x0FF0, 0, 0x1_0000);
        assertThat(most.table()).isEqualTo(new Range(0x0FF0, 0x8000));
        assertThat(most.pending()).isEqualTo(new Range(0x1_0000, 0x100));
        assertThat(most.pagesIn(0)).containsExactly(new Range(0, 0x9000), new Range(0x1_0000, 0x1000));
    }
}
