// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.InterruptVectors;
import vfio.pci.core.function.ConfigBytes;
import vfio.pci.core.function.NothingLent;
import vfio.pci.core.function.RamFunction;

class BarRegionTest {
    private static final Bar PAGES = new Bar(0, Bar.Kind.MEMORY_32, false, 0x10000,
        List.of(new Range(0, 0x4000), new Range(0x8000, 0x4000)));
    private static final Bar ROM = new Bar(Bar.ROM, Bar.Kind.MEMORY_32, false, 0x1000, List.of());

    private final MemorySegment buffer = MemorySegment.ofArray(new byte[16]);
    private BoundFunction function;

    @BeforeEach
    void bind() throws VfioException {
        function = new RamFunction(List.of(PAGES, ROM), new InterruptVectors(0, 0, 0), new ConfigBytes(256).bytes())
            .bind("test", new NothingLent());
    }

    private List<MmapArea> areas(Range... kept) {
        return new BarRegion(PAGES, function, Optional.empty(), List.of(kept)).info().sparseMmap().map(sparse -> sparse.areas())
            .orElse(List.of());
    }

    @Test
    void refusesToWriteTheExpansionRom() throws VfioException {
        BarRegion rom = new BarRegion(ROM, function, Optional.empty(), List.of());
        assertThat(rom.info().flags()).containsExactly(RegionInfo.Flag.READ);
        assertErrno(Errno.EINVAL, () -> rom.write(Caller.NOBODY, 0, buffer, 0, 4));
        rom.read(Caller.NOBODY, 0, buffer, 0, 4);
    }

    @Test
    void cannotBeMappedWithoutMemoryLikePages() {
        BarRegion rom = new BarRegion(ROM, function, Optional.empty(), List.of());
        assertThat(rom.info().sparseMmap()).isEmpty();
        assertThat(areas(new Range(0, 0x10000))).isEmpty();
    }

    @Test
    void showsItsMemoryLikePages() {
        assertThat(areas()).containsExactly(new MmapArea(0, 0x4000, false), new MmapArea(0x8000, 0x4000, false));
    }

    @Test
    void leavesOutPagesThatAreKept() {
        assertThat(areas(new Range(0, 0x1000))).containsExactly(new MmapArea(0x1000, 0x3000, false), new MmapArea(0x8000, 0x4000, false));
        assertThat(areas(new Range(0x1000, 0x1000), new Range(0x9000, 0x1000))).containsExactly(new MmapArea(0, 0x1000, false),
            new MmapArea(0x2000, 0x2000, false), new MmapArea(0x8000, 0x1000, false), new MmapArea(0xA000, 0x2000, false));
        assertThat(areas(new Range(0x3000, 0x6000))).containsExactly(new MmapArea(0, 0x3000, false), new MmapArea(0x9000, 0x3000, false));
        assertThat(areas(new Range(0x4000, 0x4000))).as("between them").hasSize(2);
    }

    @Test
    void refusesWhatLiesOutsideItsLimit() throws VfioException {
        BarRegion region = new BarRegion(PAGES, function, Optional.empty(), List.of());
        region.limit(0x100);
        region.check(0, 0xFC, 4);
        assertErrno(Errno.EINVAL, () -> region.check(0, 0xFD, 4));
        region.limit(Long.MAX_VALUE);
        region.check(0, Long.MAX_VALUE - 4, 4);
        assertErrno(Errno.EINVAL, () -> region.check(0, Long.MAX_VALUE - 3, 4));
        assertErrno(Errno.EINVAL, () -> region.check(0, -1, 4));
        assertErrno(Errno.EINVAL, () -> region.check(0, 0, 0));
        assertErrno(Errno.EINVAL, () -> region.checkOwn(0, 0x10000, 1));
        region.checkOwn(0, 0xFFFF, 1);
    }
}
