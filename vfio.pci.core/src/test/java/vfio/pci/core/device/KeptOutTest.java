// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;
import static vfio.pci.core.device.OneDevice.write32;

import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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
import vfio.pci.core.region.TrapInfoRegion;

/// A mediation takes pages out of what clients may map while they have the device open.
@Timeout(60)
class KeptOutTest {
    private static final int TRAP_INFO = 9;
    private static final List<MmapArea> BOTH = List.of(new MmapArea(0x1000, 0x2000, false));
    private static final List<MmapArea> ONE = List.of(new MmapArea(0x1000, 0x1000, false));
    private static final List<Claim> TAKEN = List.of(Claim.of(0, 0x2010, 4));

    private final OneDevice one = new OneDevice();
    private final AtomicReference<MediationContext> context = new AtomicReference<>();
    private volatile List<MmapArea> areas = BOTH;

    @AfterEach
    void end() {
        one.close();
    }

    private final class Shrinking extends Mediation {
        @Override
        public Set<Capability> capabilities() {
            return Set.of(Capability.DYNAMIC_TRAP_BAR);
        }

        @Override
        public RegionInfo regionInfo(RegionInfo defaults) {
            return defaults.index() == 0 ? defaults.with(new RegionCapability.SparseMmap(areas)) : defaults;
        }
    }

    private VfioDevice open(Client client) throws VfioException {
        one.accepting("shrinking", offered -> {
            context.set(offered);
            return new Shrinking();
        });
        return one.open(client);
    }

    private static List<MmapArea> areas(VfioDevice device) throws VfioException {
        return device.regionInfo(0).sparseMmap().map(RegionCapability.SparseMmap::areas).orElse(List.of());
    }

    private FutureTask<List<String>> shrink() {
        areas = ONE;
        FutureTask<List<String>> shrinking = new FutureTask<>(() -> context.get().unmap(TAKEN));
        Thread.ofPlatform().daemon().start(shrinking);
        return shrinking;
    }

    @Test
    void namesAClientThatCannotBeTold() throws Exception {
        try (VfioDevice device = open(OneDevice.STANDARD)) {
            device.map(0, 0x1000, 0x1000);
            assertThat(context.get().unmap(TAKEN)).as("nobody has it").isEmpty();
            RegionMap map = device.map(0, 0x2000, 0x1000);
            assertThat(shrink().get()).containsExactly("standard");
            map.close();
            assertThat(context.get().mappedBy(TAKEN)).isEmpty();
        }
    }

    @Test
    void namesAClientWithTheFileOnlyIfItWasToldOfThePage() throws Exception {
        areas = ONE;
        try (VfioDevice device = open(OneDevice.STANDARD)) {
            device.regionFile(0).orElseThrow().close();
            assertThat(context.get().mappedBy(TAKEN)).as("it keeps to what it is told").isEmpty();
            areas = BOTH;
            device.regionFile(0).orElseThrow().close();
            assertThat(shrink().get()).containsExactly("standard");
            device.regionFile(0).orElseThrow().close();
            assertThat(context.get().mappedBy(TAKEN)).as("it does not say whether it has unmapped").containsExactly("standard");
        }
        assertThat(one.function.device()).isEmpty();
    }

    @Test
    void waitsForAClientThatIsTold() throws Exception {
        one.settings = new DeviceSettings(false, Duration.ofSeconds(40), 64, 4);
        try (VfioDevice device = open(OneDevice.STANDARD); DevicePort port = device.port()) {
            AtomicInteger told = new AtomicInteger();
            int irq = read32(port, TRAP_INFO, TrapInfoRegion.AREAS_IRQ);
            device.setIrqTriggers(irq, 0, List.of(trigger(told)));
            device.regionFile(0).orElseThrow().close();
            FutureTask<List<String>> shrinking = shrink();
            await("it is told", () -> told.get() == 1);
            assertThat(shrinking.isDone()).isFalse();
            device.regionFile(0).orElseThrow().close();
            assertThat(areas(device)).isEqualTo(ONE);
            write32(port, TRAP_INFO, TrapInfoRegion.ACKNOWLEDGED, read32(port, TRAP_INFO, TrapInfoRegion.GENERATION));
            assertThat(shrinking.get()).isEmpty();
        }
    }

    @Test
    void waitsForAClientOfThisProcessToUnmap() throws Exception {
        one.settings = new DeviceSettings(false, Duration.ofSeconds(40), 64, 4);
        try (VfioDevice device = open(new Client("takes part", EnumSet.allOf(Client.Feature.class))); DevicePort port = device.port()) {
            AtomicReference<RegionMap> map = new AtomicReference<>(device.map(0, 0x2000, 0x1000));
            write32(port, TRAP_INFO, TrapInfoRegion.DT_FD, device.registerEvent(() -> map.get().close()));
            assertThat(shrink().get()).isEmpty();
        }
    }

    @Test
    void waitsNoLongerThanConfigured() throws Exception {
        try (VfioDevice device = open(new Client("silent", EnumSet.allOf(Client.Feature.class)))) {
            device.map(0, 0x2000, 0x1000);
            long begin = System.nanoTime();
            assertThat(shrink().get()).containsExactly("silent");
            assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(one.settings.acknowledgeTimeout().toNanos());
        }
    }

    private static IrqTrigger trigger(AtomicInteger told) {
        return told::incrementAndGet;
    }
}
