// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.DirtyLog;
import vfio.pci.api.migration.MigrationDriver;

class VfMediationTest {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final RecordingContext context = new RecordingContext();
    private final AtomicInteger closed = new AtomicInteger();
    private final VfMediation mediation = mediation(PciAddress.parse("3b:02.0"));
    private final RecordingLog log = new RecordingLog();
    private final MemorySegment buffer = MemorySegment.ofArray(new byte[32]);

    private VfMediation mediation(PciAddress address) {
        try {
            PfBinding physical = PfBinding.bind(ScriptedFunction.physical("3b:00.0", 4, 16, 1));
            return new VfMediation(address, context, VfMigration.of(physical, address), closed::incrementAndGet);
        } catch (VfioException e) {
            throw new AssertionError(e);
        }
    }

    private MigrationDriver driver() {
        return mediation.migration().orElseThrow();
    }

    @Test
    void mapsAllOfBar0InFiveAreas() {
        RegionInfo changed = mediation.regionInfo(new RegionInfo(0, 0x10000, Set.of(RegionInfo.Flag.READ), List.of()));
        assertThat(changed.sparseMmap().orElseThrow().areas()).containsExactly(
            new MmapArea(0x0000, 0x2000, false),
            new MmapArea(0x2000, 0x1000, true),
            new MmapArea(0x3000, 0x4000, false),
            new MmapArea(0x7000, 0x1000, true),
            new MmapArea(0x8000, 0x8000, false));
        assertThat(changed.flags()).contains(RegionInfo.Flag.MMAP);
    }

    @Test
    void leavesOtherRegionsAlone() {
        RegionInfo msix = new RegionInfo(3, 0x4000, Set.of(RegionInfo.Flag.READ), List.of());
        assertThat(mediation.regionInfo(msix)).isSameAs(msix);
        assertThat(mediation.regionInfo(RegionInfo.absent(0)).sparseMmap()).isEmpty();
    }

    @Test
    void seesOnlyTheResetRegistersAtFirst() {
        assertThat(mediation.claims()).containsExactlyInAnyOrder(Claim.of(0, 0x8000, 4), Claim.of(0, 0x8800, 4));
    }

    @Test
    void answersResetStatusFromBelow() throws VfioException {
        context.below = 2;
        assertThat(mediation.read(0, 0x8800, buffer, 5, 4)).isEqualTo(Verdict.HANDLED);
        assertThat(buffer.get(LONG, 5)).isEqualTo(2);
        assertThat(context.calls).containsExactly("readBelow 0 0x8800 4");
    }

    @Test
    void passesEveryOtherAccessThrough() throws VfioException {
        assertThat(mediation.read(0, 0x8800, buffer, 0, 2)).isEqualTo(Verdict.PASS_THROUGH);
        assertThat(mediation.read(0, 0x87FE, buffer, 0, 8)).isEqualTo(Verdict.PASS_THROUGH);
        assertThat(mediation.read(0, 0x8000, buffer, 0, 4)).isEqualTo(Verdict.PASS_THROUGH);
        assertThat(mediation.read(3, 0x8800, buffer, 0, 4)).isEqualTo(Verdict.PASS_THROUGH);
        assertThat(write(0x2000, 4, 1)).isEqualTo(Verdict.PASS_THROUGH);
        assertThat(write(0x8000, 4, 1)).isEqualTo(Verdict.PASS_THROUGH);
        assertThat(context.calls).isEmpty();
    }

    @Test
    void hasNoMigrationRegionUnlessItCanBeMoved() {
        assertThat(mediation.capabilities()).contains(Capability.MIGRATION);
        VfMediation fixed = new VfMediation(PciAddress.parse("3b:02.0"), context, Optional.empty(), () -> { });
        assertThat(fixed.capabilities()).containsExactly(Capability.DYNAMIC_TRAP_BAR);
        assertThat(fixed.migration()).isEmpty();
    }

    @Test
    void claimsTailsBeforeTheyTrapWhenTrackingBegins() throws VfioException {
        startTracking();
        assertThat(context.calls).containsExactly("claim 4", "trap true");
        assertThat(context.claims).contains(Claim.of(0, 0x2000, 0x400), Claim.of(0, 0x7000, 4), Claim.of(0, 0x8800, 4));
        assertThat(log.transfers).isTrue();
    }

    @Test
    void endsTrappingBeforeItGivesUpTheTails() throws VfioException {
        startTracking();
        context.calls.clear();
        driver().endTracking();
        assertThat(context.calls).containsExactly("trap false", "claim 2");
        assertThat(context.claims).isEqualTo(mediation.claims());
        assertThat(mediation.tracking()).isEmpty();
    }

    @Test
    void seesTailsWhileTracking() throws VfioException {
        write(0x2004, 4, 0x1F);
        TailTracking tails = startTracking();
        assertThat(tails.lastReceiveTail(1)).as("written before").isEmpty();
        write(0x2004, 4, 0x20);
        write(0x203C, 4, 0x30);
        write(0x7000, 4, 0x1F);
        assertThat(tails.lastReceiveTail(1)).hasValue(0x20);
        assertThat(tails.lastReceiveTail(15)).hasValue(0x30);
        assertThat(tails.lastMailboxTail()).hasValue(0x1F);
        assertThat(tails.lastReceiveTail(0)).isEmpty();
    }

    @Test
    void knowsNoTailThatWasWrittenInParts() throws VfioException {
        TailTracking tails = startTracking();
        for (int queue = 0; queue < 4; queue++) {
            write(0x2000 + 4 * queue, 4, 7);
        }
        write(0x7000, 4, 7);
        write(0x2002, 4, -1);
        write(0x2008, 8, 0x0000_0009_0000_0008L);
        write(0x7002, 2, 1);
        for (int queue = 0; queue < 4; queue++) {
            assertThat(tails.lastReceiveTail(queue)).as("queue %d", queue).isEmpty();
        }
        assertThat(tails.lastMailboxTail()).isEmpty();
    }

    @Test
    void ignoresTheRestOfTheWindow() throws VfioException {
        TailTracking tails = startTracking();
        write(0x203C, 4, 1);
        write(0x2040, 4, 5);
        write(0x23FC, 4, 5);
        write(0x203E, 8, 5);
        assertThat(tails.lastReceiveTail(15)).isEmpty();
    }

    @Test
    void forgetsTailsWhenTheDeviceStartsOver() throws VfioException {
        TailTracking tails = startTracking();
        write(0x2000, 4, 7);
        context.below = 2;
        mediation.read(0, 0x8800, buffer, 0, 4);
        assertThat(tails.lastReceiveTail(0)).hasValue(7);
        context.below = 0;
        mediation.read(0, 0x8800, buffer, 0, 4);
        assertThat(tails.lastReceiveTail(0)).isEmpty();
        write(0x2000, 4, 8);
        write(0x8000, 4, 0x8000_0020);
        assertThat(tails.lastReceiveTail(0)).isEmpty();
    }

    @Test
    void returnsToRunningOnReset() throws VfioException {
        startTracking();
        mediation.reset();
        assertThat(context.trapping()).isFalse();
        assertThat(context.claims).isEqualTo(mediation.claims());
        assertThat(mediation.tracking()).isEmpty();
    }

    @Test
    void letsGoOnClose() throws VfioException {
        startTracking();
        mediation.close();
        assertThat(mediation.tracking()).isEmpty();
        assertThat(closed).hasValue(1);
    }

    private TailTracking startTracking() throws VfioException {
        driver().beginTracking(log);
        return mediation.tracking().orElseThrow();
    }

    private Verdict write(long offset, int count, long value) {
        buffer.set(LONG, 3, value);
        return mediation.write(0, offset, buffer, 3, count);
    }

    private static final class RecordingLog implements DirtyLog {
        private boolean transfers;

        @Override
        public void mark(long iova, long length) {
            throw new AssertionError("iova=0x%x marked".formatted(iova));
        }

        @Override
        public void markTransfers(boolean on) {
            transfers = on;
        }

        @Override
        public void markEverything(boolean on) {
            throw new AssertionError("everything=" + on);
        }
    }
}
