// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;
import static vfio.pci.core.device.OneDevice.write32;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.IrqTrigger;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.core.region.TrapInfoRegion;

/// Trapping is on when the clients that take part have said so, or it is not on.
@Timeout(60)
class TrapSwitchTest {
    private static final Client TAKES_PART = new Client("takes part", EnumSet.allOf(Client.Feature.class));
    private static final int TRAP_INFO = 9;
    private static final MmapArea SWITCHED = new MmapArea(0x1000, 0x1000, true);
    private static final MmapArea FIXED = new MmapArea(0x2000, 0x1000, false);

    private final OneDevice one = new OneDevice();
    private final AtomicReference<MediationContext> context = new AtomicReference<>();
    private Trapping mediation;

    @AfterEach
    void end() {
        one.close();
    }

    /// Has an area that can be switched, and starts trapping in an access at 0x4000.
    private static final class Trapping extends Mediation {
        private final MediationContext context;
        private final AtomicInteger seen = new AtomicInteger();

        Trapping(MediationContext context) {
            this.context = context;
        }

        @Override
        public Set<Capability> capabilities() {
            return EnumSet.of(Capability.DYNAMIC_TRAP_BAR);
        }

        @Override
        public List<Claim> claims() {
            return List.of(Claim.of(0, 0x4000, 4));
        }

        @Override
        public RegionInfo regionInfo(RegionInfo defaults) {
            return defaults.index() == 0 ? defaults.with(new RegionCapability.SparseMmap(List.of(SWITCHED, FIXED))) : defaults;
        }

        @Override
        public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            seen.incrementAndGet();
            context.trap(true);
            return Verdict.PASS_THROUGH;
        }
    }

    private VfioDevice open(Client client) throws VfioException {
        if (one.mediators.isEmpty()) {
            one.accepting("trapping", offered -> {
                context.set(offered);
                mediation = new Trapping(offered);
                return mediation;
            });
        }
        return one.open(client);
    }

    private static List<MmapArea> areas(VfioDevice device) throws VfioException {
        return device.regionInfo(0).sparseMmap().map(RegionCapability.SparseMmap::areas).orElse(List.of());
    }

    private FutureTask<Void> start() {
        FutureTask<Void> switching = new FutureTask<>(() -> {
            context.get().trap(true);
            return null;
        });
        Thread.ofPlatform().name("switching").daemon().start(switching);
        return switching;
    }

    private static void acknowledge(DevicePort port) throws VfioException {
        write32(port, TRAP_INFO, TrapInfoRegion.ACKNOWLEDGED, read32(port, TRAP_INFO, TrapInfoRegion.GENERATION));
    }

    private void assertTrappingNamesAsSilent(String client) {
        assertThatThrownBy(() -> context.get().trap(true)).isInstanceOfSatisfying(VfioException.class, late -> {
            assertThat(late.errno()).isEqualTo(Errno.ETIMEDOUT);
            assertThat(late).hasMessageContaining("client=" + client);
        });
        assertThat(context.get().trapping()).isFalse();
        assertThat(one.function.status().trapping()).isFalse();
    }

    @Test
    void waitsForNobodyWhoNeverMapped() throws VfioException {
        VfioDevice device = open(TAKES_PART);
        RegionMap fixed = device.map(0, 0x2000, 0x1000);
        long begin = System.nanoTime();
        context.get().trap(true);
        assertThat(System.nanoTime() - begin).isLessThan(one.settings.acknowledgeTimeout().toNanos());
        assertThat(context.get().trapping()).isTrue();
        fixed.close();
        device.close();
    }

    @Test
    void returnsWhenAClientHasAcknowledged() throws Exception {
        VfioDevice device = open(TAKES_PART);
        DevicePort port = device.port();
        assertThat(device.regionFile(0)).isPresent();
        FutureTask<Void> switching = start();
        await("it is told", () -> device.awaitsAcknowledgementIn().isPresent() && context.get().trapping());
        assertThat(device.awaitsAcknowledgementIn()).hasValue(TRAP_INFO);
        assertThat(read32(port, TRAP_INFO, TrapInfoRegion.TRAP)).isEqualTo(1);
        assertErrno(Errno.EINVAL, () -> write32(port, TRAP_INFO, TrapInfoRegion.ACKNOWLEDGED, 0));
        acknowledge(port);
        switching.get(30, TimeUnit.SECONDS);
        assertThat(context.get().trapping()).isTrue();
        assertThat(device.awaitsAcknowledgementIn()).isEmpty();
        device.close();
    }

    @Test
    void returnsWhenTheEventsReceiverHasUnmapped() throws VfioException {
        VfioDevice device = open(TAKES_PART);
        RegionMap map = device.map(0, 0x1000, 0x1000);
        write32(device.port(), TRAP_INFO, TrapInfoRegion.DT_FD, device.registerEvent(map::close));
        context.get().trap(true);
        assertThat(context.get().trapping()).isTrue();
        assertErrno(Errno.EBUSY, () -> device.map(0, 0x1000, 0x1000));
        device.map(0, 0x2000, 0x1000).close();
        context.get().untrap();
        device.map(0, 0x1000, 0x1000).close();
        device.close();
    }

    @Test
    void refusesNamingWhoDoesNotAcknowledgeAndTellsThatItIsOffAgain() throws VfioException {
        one.impatient();
        VfioDevice other = open(TAKES_PART);
        VfioDevice device = open(new Client("sleepy", TAKES_PART.features()));
        RegionMap map = device.map(0, 0x1000, 0x1000);
        List<Integer> told = new ArrayList<>();
        DevicePort port = other.port();
        other.setIrqTriggers(read32(port, TRAP_INFO, TrapInfoRegion.TRAP_IRQ), 0, List.of(() -> {
            told.add(context.get().trapping() ? 1 : 0);
        }));
        assertTrappingNamesAsSilent("sleepy");
        assertThat(told).containsExactly(1, 0);
        assertThat(read32(port, TRAP_INFO, TrapInfoRegion.GENERATION)).isEqualTo(2);
        map.close();
        context.get().trap(true);
        device.close();
        other.close();
    }

    @Test
    void doesNotTakeAnOlderAcknowledgementForThisSwitch() throws Exception {
        // Of the two switches one is acknowledged in time, on a machine that does other things as well.
        one.impatient(Duration.ofSeconds(4));
        VfioDevice device = open(TAKES_PART);
        DevicePort port = device.port();
        assertThat(device.regionFile(0)).isPresent();
        FutureTask<Void> switching = start();
        await("it is told", () -> context.get().trapping());
        acknowledge(port);
        switching.get(30, TimeUnit.SECONDS);
        context.get().untrap();
        acknowledge(port);
        assertTrappingNamesAsSilent("takes part");
        device.close();
    }

    @Test
    void waitsNoLongerForAClientThatHasGone() throws Exception {
        VfioDevice stays = open(TAKES_PART);
        VfioDevice device = open(TAKES_PART);
        assertThat(device.regionFile(0)).isPresent();
        FutureTask<Void> switching = start();
        await("it is told", () -> context.get().trapping());
        device.close();
        switching.get(30, TimeUnit.SECONDS);
        assertThat(context.get().trapping()).isTrue();
        stays.close();
    }

    @Test
    void tellsAndDoesNotWaitInAClientsOwnAccess() throws VfioException {
        one.impatient();
        VfioDevice device = open(TAKES_PART);
        assertThat(device.regionFile(0)).isPresent();
        write32(device.port(), 0, 0x4000, 1);
        assertThat(mediation.seen).hasValue(1);
        assertThat(context.get().trapping()).isTrue();
        assertTrappingNamesAsSilent("takes part");
        device.close();
    }

    @Test
    void showsAreasToAStandardClientThatIsToldWhenTheyChange() throws Exception {
        VfioDevice device = open(OneDevice.STANDARD);
        DevicePort port = device.port();
        assertThat(areas(device)).extracting(MmapArea::offset).containsExactly(FIXED.offset());
        AtomicInteger signals = new AtomicInteger();
        IrqTrigger trigger = signals::incrementAndGet;
        device.setIrqTriggers(read32(port, TRAP_INFO, TrapInfoRegion.AREAS_IRQ), 0, List.of(trigger));
        assertThat(areas(device)).extracting(MmapArea::offset).containsExactly(SWITCHED.offset(), FIXED.offset());
        RegionMap map = device.map(0, 0x1000, 0x1000);
        FutureTask<Void> switching = start();
        await("it is told", () -> signals.get() == 1);
        assertThat(areas(device)).extracting(MmapArea::offset).containsExactly(FIXED.offset());
        assertErrno(Errno.EINVAL, () -> device.map(0, 0x1000, 0x1000));
        assertThat(switching.isDone()).isFalse();
        acknowledge(port);
        switching.get(30, TimeUnit.SECONDS);
        map.close();
        context.get().untrap();
        assertThat(signals).hasValue(2);
        assertThat(areas(device)).extracting(MmapArea::offset).containsExactly(SWITCHED.offset(), FIXED.offset());
        device.close();
    }

    @Test
    void countsOnNobodyWhoWasShownAreasAndIsNoLongerTold() throws VfioException {
        one.impatient();
        VfioDevice device = open(OneDevice.STANDARD);
        int irq = read32(device.port(), TRAP_INFO, TrapInfoRegion.AREAS_IRQ);
        device.setIrqTriggers(irq, 0, List.of(() -> { }));
        RegionMap map = device.map(0, 0x1000, 0x1000);
        device.disableIrq(irq);
        assertThat(areas(device)).extracting(MmapArea::offset).containsExactly(FIXED.offset());
        assertTrappingNamesAsSilent("standard");
        map.close();
        device.close();
    }

    @Test
    void isOffAndCannotBeSwitchedAfterTheEnd() throws VfioException {
        VfioDevice device = open(TAKES_PART);
        context.get().trap(true);
        assertThat(read32(device.port(), TRAP_INFO, TrapInfoRegion.GENERATION)).isEqualTo(1);
        one.goes(one.mediators.getFirst());
        assertThat(one.function.status().trapping()).isFalse();
        assertErrno(Errno.EOPNOTSUPP, () -> context.get().trap(true));
        device.close();
    }
}
