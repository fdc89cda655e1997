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
            Optional<VfMigration> moving =
                VfMigration.of(physical, address, () -> physical, context, (device, its, sight) -> new DeviceLog());
            return new VfMediation(address, context, moving, closed::incrementAndGet);
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
    void lettingGoOfADeviceThatWasResetEndsTracking() throws VfioException {
        driver().beginTracking(log);
        assertThat(log.transfers).isTrue();
        mediation.reset();
        assertThat(context.claims).isEmpty();
        assertThat(context.trapping()).isFalse();
    }

    @Test
    void tellsWhenItEnds() {
        mediation.close();
        assertThat(closed).hasValue(1);
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
