// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.OneDevice.read32;
import static vfio.pci.core.device.OneDevice.write32;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.MapVerdict;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.SharedMemory;
import vfio.pci.api.mediation.Verdict;

/// What a mediation adds to a device: regions, interrupts, memory, and the default regions of its capabilities.
@Timeout(60)
class AddedThingsTest {
    private static final int ADDED = RegionIndex.FIRST_SPECIFIC;
    private static final Client IN_PROCESS = new Client("in process", Set.of(Client.Feature.DISABLABLE_AREAS, Client.Feature.EVENT_IDS));

    private final OneDevice one = new OneDevice();
    private final AtomicReference<MediationContext> context = new AtomicReference<>();

    @AfterEach
    void end() {
        one.close();
    }

    private AnsweringMediation answering() {
        AnsweringMediation mediation = new AnsweringMediation();
        one.accepting("adding", offered -> {
            context.set(offered);
            return mediation;
        });
        return mediation;
    }

    private void trapping() {
        one.accepting("trapping", offered -> {
            context.set(offered);
            return new TrappingMediation();
        });
    }

    private static RegionInfo mappable(long size) {
        return new RegionInfo(0, size, EnumSet.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE, RegionInfo.Flag.MMAP),
            List.of(new RegionCapability.SparseMmap(List.of(new MmapArea(0, size, false)))));
    }

    @Test
    void refusesBackingThatIsTooSmall() throws VfioException {
        answering();
        VfioDevice device = one.open();
        SharedMemory memory = context.get().sharedMemory("ring", 0x1000);
        assertThatThrownBy(() -> context.get().addRegion(0x2000, Optional.of(memory), mappable(0x2000)))
            .isInstanceOf(IllegalArgumentException.class);
        assertThat(device.info().regions()).isEqualTo(ADDED);
        device.close();
    }

    @Test
    void showsAnAddedRegionToTheClient() throws VfioException {
        AnsweringMediation mediation = answering();
        VfioDevice device = one.open();
        DevicePort port = device.port();
        int first = context.get().addRegion(0x100, Optional.empty(), RegionInfo.absent(0));
        int second = context.get().addRegion(0x3000, Optional.of(context.get().sharedMemory("ring", 0x4000)), mappable(0x4000));
        assertThat(first).isEqualTo(ADDED);
        assertThat(second).isEqualTo(ADDED + 1);
        assertThat(device.info().regions()).isEqualTo(ADDED + 2);
        assertThat(device.regionInfo(first).flags()).containsExactlyInAnyOrder(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE);
        assertThat(device.regionFile(first)).isEmpty();
        assertThat(device.regionInfo(second).sparseMmap().orElseThrow().areas()).as("not past its end")
            .containsExactly(new MmapArea(0, 0x3000, false));
        assertThat(device.regionFile(second)).isPresent();
        assertThat(read32(port, first, 0xFC)).isEqualTo(0xA5A5A5A5);
        write32(port, second, 0x2FFC, 1);
        assertThat(mediation.writes).hasValue(1);
        assertErrno(Errno.EINVAL, () -> read32(port, first, 0x100));
        try (RegionMap map = device.map(second, 0x1000, 0x1000)) {
            map.memory().set(ValueLayout.JAVA_INT, 0, 42);
        }
        MemorySegment seen = context.get().sharedMemory("ring", 0x4000).memory();
        assertThat(seen.get(ValueLayout.JAVA_INT, 0x1000)).isEqualTo(42);
        device.close();
    }

    @Test
    void failsAnAccessToAnAddedRegionThatItsMediationPassesOn() throws VfioException {
        one.accepting("passing", offered -> {
            context.set(offered);
            return new AnsweringMediation() {
                @Override
                public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
                    return Verdict.PASS_THROUGH;
                }
            };
        });
        VfioDevice device = one.open();
        int added = context.get().addRegion(0x100, Optional.empty(), RegionInfo.absent(0));
        DevicePort port = device.port();
        assertErrno(Errno.EIO, () -> read32(port, added, 0));
        assertErrno(Errno.EIO, () -> context.get().readBelow(added, 0, MemorySegment.ofArray(new byte[4]), 0, 4));
        device.close();
    }

    @Test
    void leavesNothingInAnAddedRegionWhenItsMediationEnds() throws VfioException {
        answering();
        VfioDevice device = one.open();
        DevicePort port = device.port();
        int added = context.get().addRegion(0x1000, Optional.of(context.get().sharedMemory("ring", 0x1000)), mappable(0x1000));
        RegionMap map = device.map(added, 0, 0x1000);
        map.memory().set(ValueLayout.JAVA_INT, 0, 42);
        MemorySegment shared = context.get().sharedMemory("ring", 0x1000).memory();
        one.goes(one.mediators.getFirst());
        assertThat(device.info().regions()).isEqualTo(ADDED + 1);
        assertThat(device.regionInfo(added).size()).isZero();
        assertErrno(Errno.EINVAL, () -> read32(port, added, 0));
        assertErrno(Errno.EINVAL, () -> device.map(added, 0, 0x1000));
        assertThat(map.memory().get(ValueLayout.JAVA_INT, 0)).as("a client keeps its map").isEqualTo(42);
        assertThat(shared.get(ValueLayout.JAVA_INT, 0)).as("memory outlives the mediation").isEqualTo(42);
        assertErrno(Errno.EOPNOTSUPP, () -> context.get().sharedMemory("ring", 0x1000));
        device.close();
        assertThat(shared.scope().isAlive()).isFalse();
    }

    @Test
    void givesSharedMemoryByName() throws VfioException {
        answering();
        VfioDevice device = one.open();
        assertErrno(Errno.EINVAL, () -> context.get().sharedMemory("ring", 0));
        assertErrno(Errno.EINVAL, () -> context.get().sharedMemory("ring", -0x1000));
        assertErrno(Errno.EINVAL, () -> context.get().sharedMemory("ring", 0x1001));
        SharedMemory ring = context.get().sharedMemory("ring", 0x1000);
        assertErrno(Errno.EINVAL, () -> context.get().sharedMemory("ring", 0x2000));
        assertThat(context.get().sharedMemory("ring", 0x1000)).isSameAs(ring);
        assertThat(context.get().sharedMemory("other", 0x1000)).isNotSameAs(ring);
        assertThat(ring.memory().byteSize()).isEqualTo(0x1000);
        device.close();
    }

    @Test
    void showsAnAddedInterruptToTheClient() throws VfioException {
        answering();
        VfioDevice device = one.open();
        IrqInfo.Type type = new IrqInfo.Type(7, 1);
        int irq = context.get().addIrq(2, type);
        assertThat(irq).isEqualTo(IrqIndex.FIRST_SPECIFIC);
        assertThat(device.info().irqs()).isEqualTo(IrqIndex.FIRST_SPECIFIC + 1);
        assertThat(device.irqInfo(irq).type()).contains(type);
        assertThat(context.get().raise(irq, 1)).as("nobody there").isFalse();
        AtomicInteger signals = new AtomicInteger();
        device.setIrqTriggers(irq, 1, List.of(signals::incrementAndGet));
        assertThat(context.get().raise(irq, 1)).isTrue();
        assertThat(context.get().raise(irq, 0)).isFalse();
        assertThat(context.get().raise(irq, 2)).isFalse();
        assertThat(context.get().raise(irq + 1, 0)).isFalse();
        assertThat(context.get().raise(-1, 0)).isFalse();
        assertThat(signals).hasValue(1);
        one.goes(one.mediators.getFirst());
        assertThat(device.irqInfo(irq).type()).as("an index never moves").contains(type);
        assertThatThrownBy(() -> context.get().raise(irq, 1)).isInstanceOf(IllegalStateException.class);
        device.close();
    }

    @Test
    void mapsMemoryThatTheMediationProvides() throws VfioException {
        AtomicReference<MapVerdict> verdict = new AtomicReference<>(MapVerdict.PASS_THROUGH);
        one.accepting("providing", offered -> {
            context.set(offered);
            return new AnsweringMediation() {
                @Override
                public MapVerdict map(int region, long offset, long length) throws VfioException {
                    if (offset == 0x2000) {
                        throw new VfioException(Errno.EACCES, "region=%d".formatted(region));
                    }
                    return verdict.get();
                }
            };
        });
        VfioDevice device = one.open();
        SharedMemory own = context.get().sharedMemory("shadow", 0x2000);
        verdict.set(new MapVerdict.Provided(own, 0x1000));
        try (RegionMap map = device.map(0, 0, 0x1000)) {
            map.memory().set(ValueLayout.JAVA_INT, 4, 9);
        }
        assertThat(own.memory().get(ValueLayout.JAVA_INT, 0x1004)).isEqualTo(9);
        assertThat(device.regionFile(0)).as("another process gets one file per region").isEmpty();
        assertErrno(Errno.EACCES, () -> device.map(0, 0x2000, 0x1000));
        assertErrno(Errno.EIO, () -> device.map(0, 0, 0x2000));
        verdict.set(null);
        assertErrno(Errno.EIO, () -> device.map(0, 0, 0x1000));
        verdict.set(new MapVerdict.Provided(() -> MemorySegment.NULL, 0));
        assertErrno(Errno.EIO, () -> device.map(0, 0, 0x1000));
        device.close();
    }

    private static int place(VfioDevice device, RegionCapability.Type type) throws VfioException {
        for (int i = ADDED; i < device.info().regions(); i++) {
            if (device.regionInfo(i).capabilities().contains(type)) {
                return i;
            }
        }
        throw new AssertionError("no region of " + type);
    }

    @Test
    void addsTheDefaultRegionsOfItsCapabilities() throws VfioException {
        trapping();
        VfioDevice device = one.open();
        int migration = place(device, RegionCapability.Type.MIGRATION);
        int trapInfo = place(device, RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO);
        DevicePort port = device.port();
        assertThat(read32(port, migration, 0)).as("RUNNING").isEqualTo(1);
        assertThat(read32(port, trapInfo, 4)).isZero();
        assertThat(device.irqInfo(IrqIndex.FIRST_SPECIFIC).type()).contains(IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO);
        one.goes(one.mediators.getFirst());
        assertThat(device.regionInfo(migration).size()).isZero();
        assertThat(device.regionInfo(trapInfo).size()).isZero();
        assertErrno(Errno.EINVAL, () -> write32(port, migration, 0, 3));
        device.close();
    }

    @Test
    void refusesToSwitchTrappingInOpen() throws VfioException {
        one.mediator("hasty", (asked, offered) -> {
            offered.trap(true);
            return Optional.of(new AnsweringMediation());
        });
        VfioDevice device = one.open();
        assertThat(one.function.status().trapping()).isFalse();
        assertThat(one.mediators.getFirst().status().failed()).isEqualTo(1);
        device.close();
    }

    @Test
    void tellsThoseWhoTakePartThatTrappingWasSwitched() throws VfioException {
        trapping();
        VfioDevice device = one.open(IN_PROCESS);
        DevicePort port = device.port();
        int trapInfo = place(device, RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO);
        AtomicInteger events = new AtomicInteger();
        AtomicInteger signals = new AtomicInteger();
        write32(port, trapInfo, 0, device.registerEvent(events::incrementAndGet));
        device.setIrqTriggers(IrqIndex.FIRST_SPECIFIC, 0, List.of(signals::incrementAndGet));
        context.get().trap(true);
        context.get().trap(true);
        assertThat(read32(port, trapInfo, 4)).isEqualTo(1);
        assertThat(one.function.status().trapping()).isTrue();
        write32(port, 0, 0x1000, 1);
        write32(port, 0, 0x2000, 1);
        assertThat(one.function.stats().trapped()).isEqualTo(1);
        context.get().trap(false);
        write32(port, 0, 0x1000, 1);
        assertThat(one.function.stats().trapped()).isEqualTo(1);
        assertThat(events).hasValue(2);
        assertThat(signals).hasValue(2);
        device.close();
    }

    @Test
    void endsTrappingWhenTheMediationEnds() throws VfioException {
        trapping();
        VfioDevice device = one.open(IN_PROCESS);
        DevicePort port = device.port();
        AtomicInteger events = new AtomicInteger();
        write32(port, place(device, RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO), 0, device.registerEvent(events::incrementAndGet));
        context.get().trap(true);
        one.goes(one.mediators.getFirst());
        assertThat(one.function.status().trapping()).isFalse();
        assertThat(events).hasValue(2);
        assertErrno(Errno.EOPNOTSUPP, () -> context.get().trap(true));
        device.close();
    }

    @Test
    void letsNoBugOfAClientsEventKeepAMediatorFromGoing() throws VfioException {
        trapping();
        VfioDevice device = one.open(IN_PROCESS);
        DevicePort port = device.port();
        write32(port, place(device, RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO), 0, device.registerEvent(() -> {
            throw new IllegalStateException("client");
        }));
        device.setIrqTriggers(IrqIndex.FIRST_SPECIFIC, 0, List.of(() -> {
            throw new IllegalStateException("client");
        }));
        context.get().trap(true);
        one.goes(one.mediators.getFirst());
        assertThat(one.function.status().trapping()).isFalse();
        assertThat(one.function.status().mediator()).isEmpty();
        device.close();
    }

    @Test
    void forgetsAnEventWhenItsHandleIsClosed() throws VfioException {
        trapping();
        VfioDevice stays = one.open();
        VfioDevice device = one.open(IN_PROCESS);
        AtomicInteger events = new AtomicInteger();
        write32(device.port(), place(device, RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO), 0,
            device.registerEvent(events::incrementAndGet));
        device.close();
        context.get().trap(true);
        assertThat(events).hasValue(0);
        stays.close();
    }

    @Test
    void takesNoEventOfAClientInAnotherProcess() throws VfioException {
        trapping();
        VfioDevice device = one.open();
        DevicePort port = device.port();
        int trapInfo = place(device, RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO);
        assertErrno(Errno.EOPNOTSUPP, () -> device.registerEvent(() -> { }));
        assertErrno(Errno.EOPNOTSUPP, () -> write32(port, trapInfo, 0, 5));
        device.close();
    }

    @Test
    void showsDisablableAreasOnlyToClientsThatTakePart() throws VfioException {
        trapping();
        VfioDevice standard = one.open();
        VfioDevice taking = one.open(IN_PROCESS);
        assertThat(standard.regionInfo(0).sparseMmap().orElseThrow().areas()).containsExactly(new MmapArea(0x2000, 0x1000, false));
        assertThat(taking.regionInfo(0).sparseMmap().orElseThrow().areas()).as("memory-like pages only")
            .containsExactly(new MmapArea(0x1000, 0x1000, true), new MmapArea(0x2000, 0x1000, false));
        assertErrno(Errno.EINVAL, () -> standard.map(0, 0x1000, 0x1000));
        taking.map(0, 0x1000, 0x1000).close();
        standard.close();
        taking.close();
    }

    @Test
    void showsDisablableAreasToAnyClientIfItIsConfiguredSo() throws VfioException {
        trapping();
        one.settings = one.settings.withMapDisablable(true);
        VfioDevice device = one.open();
        assertThat(device.regionInfo(0).sparseMmap().orElseThrow().areas()).hasSize(2);
        write32(device.port(), 0, 0x1000, 1);
        assertThat(one.function.stats().trapped()).as("it can be mapped, and is not trapped").isZero();
        device.close();
    }
}
