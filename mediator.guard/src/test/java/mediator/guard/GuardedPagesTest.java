// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Range;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionInfo;

class GuardedPagesTest {
    private static final List<MmapArea> AREAS = List.of(new MmapArea(0, 0x3000, false), new MmapArea(0x8000, 0x4000, true));

    @Test
    void cutsThePagesARangeHasAByteIn() {
        List<MmapArea> touched = GuardedPages.touched(AREAS, new Range(0x1FFF, 2));
        assertThat(touched).containsExactly(new MmapArea(0x1000, 0x2000, false));
        assertThat(GuardedPages.without(AREAS, touched)).containsExactly(new MmapArea(0, 0x1000, false), AREAS.get(1));
        assertThat(GuardedPages.touched(AREAS, new Range(0x3000, 0x5000))).isEmpty();
    }

    @Test
    void leavesBothSidesOfAHole() {
        List<MmapArea> touched = GuardedPages.touched(AREAS, new Range(0x9004, 4));
        assertThat(GuardedPages.without(AREAS, touched)).containsExactly(AREAS.get(0), new MmapArea(0x8000, 0x1000, true),
            new MmapArea(0xA000, 0x2000, true));
    }

    @Test
    void aRuleOfAWholeRegionLeavesNothing() {
        List<MmapArea> touched = GuardedPages.touched(AREAS, new Range(0, Long.MAX_VALUE));
        assertThat(touched).isEqualTo(AREAS);
        assertThat(GuardedPages.without(AREAS, touched)).isEmpty();
    }

    @Test
    void aRegionWithoutAListIsMappableInItsWholePages() {
        RegionInfo mapped = new RegionInfo(0, 0x2800, Set.of(RegionInfo.Flag.MMAP), List.of());
        assertThat(GuardedPages.mappable(mapped)).containsExactly(new MmapArea(0, 0x2000, false));
        assertThat(GuardedPages.mappable(mapped.without(RegionInfo.Flag.MMAP))).isEmpty();
        assertThat(GuardedPages.mappable(mapped.withSize(0x800))).isEmpty();
    }
}
