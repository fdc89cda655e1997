// SPDX-License-Identifier: Apache-2.0
package mediator.igd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Handover;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

class IgdMediationTest {
    private final RecordingContext context = new RecordingContext();
    private final AtomicInteger closed = new AtomicInteger();
    private final IgdMediation mediation = new IgdMediation(context, closed::incrementAndGet);
    private final MemorySegment buffer = MemorySegment.ofArray(new byte[8]);

    @Test
    void declaresDynamicTrapAndClaimsTheFirst64KiB() {
        assertThat(mediation.capabilities()).containsExactly(Capability.DYNAMIC_TRAP_BAR);
        assertThat(mediation.claims()).allMatch(claim -> claim.region() == 0);
        for (long offset : new long[] {0, 0x7FFF, 0x8000, 0xFFFF}) {
            assertThat(mediation.claims()).as("0x%x", offset).anyMatch(claim -> claim.range().contains(offset, 1));
        }
        assertThat(mediation.claims()).noneMatch(claim -> claim.range().overlaps(0x10000, 1));
    }

    @Test
    void offersOneDisablableAreaOfBar0() {
        RegionInfo defaults = new RegionInfo(0, 0x100_0000, Set.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE), List.of(
            new RegionCapability.SparseMmap(List.of(new MmapArea(0x8000, 0x8000, false), new MmapArea(0x80_0000, 0x80_0000, false)))));
        RegionInfo changed = mediation.regionInfo(defaults);
        assertThat(changed.sparseMmap().orElseThrow().areas()).containsExactly(new MmapArea(0x8000, 0x8000, true));
        assertThat(changed.flags()).contains(RegionInfo.Flag.MMAP, RegionInfo.Flag.READ, RegionInfo.Flag.WRITE);
        assertThat(changed.size()).isEqualTo(0x100_0000);
    }

    @Test
    void leavesOtherRegionsAlone() {
        RegionInfo aperture = new RegionInfo(2, 0x1000_0000, Set.of(RegionInfo.Flag.READ), List.of());
        assertThat(mediation.regionInfo(aperture)).isSameAs(aperture);
        RegionInfo absent = RegionInfo.absent(0);
        assertThat(mediation.regionInfo(absent)).isSameAs(absent);
    }

    @Test
    void startsTrappingOnceAndEndsItInTheArea() throws VfioException {
        access(0, 0x2030, true);
        access(0, 0x100, false);
        assertThat(context.traps).containsExactly(true);
        access(0, 0x8000, false);
        access(0, 0xFFFC, true);
        assertThat(context.traps).containsExactly(true, false);
        access(0, 0x7FFC, false);
        assertThat(context.traps).as("once per open").containsExactly(true, false);
    }

    @Test
    void doesNothingForAnAccessInTheAreaBefore() throws VfioException {
        access(0, 0x9000, false);
        assertThat(context.traps).isEmpty();
        access(0, 0x0, false);
        assertThat(context.traps).containsExactly(true);
    }

    @Test
    void doesNotLeaveTrappingOnAfterAnAccessAcrossTheBorder() throws VfioException {
        access(0, 0x7FFC, 8, true);
        assertThat(context.traps).containsExactly(true, false);
    }

    @Test
    void ignoresOtherRegionsAndOffsets() throws VfioException {
        access(2, 0x100, false);
        access(0, 0x10000, false);
        assertThat(context.traps).isEmpty();
    }

    @Test
    void theNextOneGoesOnWhereItWas() throws VfioException {
        access(0, 0x100, false);
        assertThat(context.traps).containsExactly(true);
        RecordingContext nextContext = new RecordingContext();
        IgdMediation next = new IgdMediation(nextContext, () -> { });
        handOver(mediation, next);
        assertThat(nextContext.traps).as("the area traps").containsExactly(true);
        next.read(0, 0x8000, buffer, 0, 4);
        next.read(0, 0x100, buffer, 0, 4);
        assertThat(nextContext.traps).as("once per open").containsExactly(true, false);
        RecordingContext lastContext = new RecordingContext();
        IgdMediation last = new IgdMediation(lastContext, () -> { });
        handOver(next, last);
        last.read(0, 0x100, buffer, 0, 4);
        assertThat(lastContext.traps).isEmpty();
    }

    @Test
    void anAccessStartsTrappingAgainWhereAClientHadMappedTheArea() throws VfioException {
        access(0, 0x100, false);
        RecordingContext nextContext = new RecordingContext();
        nextContext.refusing = true;
        IgdMediation next = new IgdMediation(nextContext, () -> { });
        handOver(mediation, next);
        nextContext.refusing = false;
        assertThat(nextContext.traps).isEmpty();
        next.read(0, 0x7FF0, buffer, 0, 4);
        assertThat(nextContext.traps).containsExactly(true);
    }

    @Test
    void refusesWhatAnotherKept() {
        Handover handover = mediation.handover().orElseThrow();
        StateSection right = new StateSection("trapping", 1, new byte[] {3});
        for (List<StateSection> wrong : List.of(List.<StateSection>of(), List.of(right, right),
                List.of(new StateSection("trapping", 1, new byte[0])), List.of(new StateSection("trapping", 1, new byte[] {4})),
                List.of(new StateSection("other", 1, new byte[] {3})))) {
            assertThatThrownBy(() -> handover.load("igd", handover.version(), wrong)).isInstanceOf(VfioException.class);
        }
        assertThatThrownBy(() -> handover.load("igd", new StateVersion(2, 0), List.of(right))).isInstanceOf(VfioException.class);
        assertThat(context.traps).isEmpty();
    }

    private static void handOver(IgdMediation from, IgdMediation to) throws VfioException {
        Handover before = from.handover().orElseThrow();
        to.handover().orElseThrow().load("igd", before.version(), before.save());
    }

    @Test
    void tellsThatItClosed() {
        mediation.close();
        assertThat(closed).hasValue(1);
    }

    private void access(int region, long offset, boolean write) throws VfioException {
        access(region, offset, 4, write);
    }

    private void access(int region, long offset, int count, boolean write) throws VfioException {
        Verdict verdict = write ? mediation.write(region, offset, buffer, 0, count) : mediation.read(region, offset, buffer, 0, count);
        assertThat(verdict).isEqualTo(Verdict.PASS_THROUGH);
    }
}
