// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.region.Caller;
import vfio.pci.core.region.Region;

/// What a client is told of the parts that can be mapped.
class RegionViewTest {
    private final Region region = new Pages(new Range(0x1000, 0x3000), new Range(0x8000, 0x2000));

    /// A region with memory-like pages and nothing else.
    private static final class Pages extends Region {
        private final List<Range> pages;

        Pages(Range... pages) {
            super(0x10000);
            this.pages = List.of(pages);
        }

        @Override
        public RegionInfo info() {
            return new RegionInfo(0, 0x10000, EnumSet.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE, RegionInfo.Flag.MMAP), List.of());
        }

        @Override
        public void read(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) {
            throw new AssertionError("not read");
        }

        @Override
        public void write(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) {
            throw new AssertionError("not written");
        }

        @Override
        public List<Range> memoryLike() {
            return pages;
        }
    }

    private RegionInfo wanting(MmapArea... areas) {
        return region.info().with(new RegionCapability.SparseMmap(List.of(areas)));
    }

    private static List<MmapArea> areas(RegionInfo info) {
        return info.sparseMmap().map(RegionCapability.SparseMmap::areas).orElse(List.of());
    }

    @Test
    void takesAwayWhatIsNotMemoryLike() {
        RegionInfo cut = RegionView.cut(wanting(new MmapArea(0x4000, 0x1000, false)), region, true);
        assertThat(cut.flags()).doesNotContain(RegionInfo.Flag.MMAP);
        assertThat(cut.sparseMmap()).isEmpty();
    }

    @Test
    void takesAwayAllWithoutTheFlag() {
        RegionInfo cut = RegionView.cut(wanting(new MmapArea(0x1000, 0x1000, false)).without(RegionInfo.Flag.MMAP), region, true);
        assertThat(cut.flags()).containsExactlyInAnyOrder(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE);
        assertThat(cut.sparseMmap()).isEmpty();
    }

    @Test
    void cutsAreasToMemoryLikePages() {
        RegionInfo cut = RegionView.cut(wanting(new MmapArea(0, 0x2000, false), new MmapArea(0x3000, 0xD000, false)), region, true);
        assertThat(areas(cut)).containsExactly(new MmapArea(0x1000, 0x1000, false), new MmapArea(0x3000, 0x1000, false),
            new MmapArea(0x8000, 0x2000, false));
    }

    @Test
    void offersAllMemoryLikePagesWithoutAList() {
        RegionInfo cut = RegionView.cut(region.info(), region, true);
        assertThat(areas(cut)).containsExactly(new MmapArea(0x1000, 0x3000, false), new MmapArea(0x8000, 0x2000, false));
    }

    @Test
    void hidesDisablableAreasFromWhoCannotBeTold() {
        RegionInfo info = wanting(new MmapArea(0x1000, 0x1000, true), new MmapArea(0x8000, 0x1000, false));
        assertThat(areas(RegionView.cut(info, region, false))).containsExactly(new MmapArea(0x8000, 0x1000, false));
        assertThat(areas(RegionView.cut(info, region, true))).hasSize(2);
        RegionInfo only = wanting(new MmapArea(0x1000, 0x1000, true));
        assertThat(RegionView.cut(only, region, false).flags()).doesNotContain(RegionInfo.Flag.MMAP);
    }

    @Test
    void cutsToTheSizeTheMediationSays() {
        assertThat(areas(RegionView.cut(region.info().withSize(0x2000), region, true)))
            .containsExactly(new MmapArea(0x1000, 0x1000, false));
        assertThat(areas(RegionView.cut(region.info().withSize(0x2FFF), region, true))).as("whole pages only")
            .containsExactly(new MmapArea(0x1000, 0x1000, false));
        assertThat(areas(RegionView.cut(region.info().withSize(0), region, true))).isEmpty();
    }

    @Test
    void keepsOtherCapabilities() {
        RegionInfo info = wanting(new MmapArea(0x1000, 0x1000, false)).with(new RegionCapability.Type(9, 9));
        assertThat(RegionView.cut(info, region, true).capabilities()).contains(new RegionCapability.Type(9, 9));
        assertThat(RegionView.cut(info, new Pages(), true).capabilities()).containsExactly(new RegionCapability.Type(9, 9));
    }

    @Test
    void findsDisablableAreas() {
        RegionInfo info = wanting(new MmapArea(0, 0x2000, true), new MmapArea(0x2000, 0x1000, false), new MmapArea(0x9000, 0x2000, true));
        assertThat(RegionView.disablable(info, region)).containsExactly(Claim.of(0, 0x1000, 0x1000), Claim.of(0, 0x9000, 0x1000));
    }

    @Test
    void neverOffersThePagesOfTheMsixTable() throws VfioException {
        try (OneDevice one = new OneDevice(); VfioDevice device = one.open()) {
            assertThat(areas(device.regionInfo(3))).as("table at 0, pending bits at 0x2000").containsExactly(
                new MmapArea(0x1000, 0x1000, false), new MmapArea(0x3000, 0x1000, false));
        }
    }
}
