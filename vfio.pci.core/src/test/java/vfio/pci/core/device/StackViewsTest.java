// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.device.OneDevice.read32;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.DmaWindow;
import vfio.pci.api.mediation.MapVerdict;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.MigrationState;
import vfio.pci.core.VfioErrors;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.MediatorStack;

/// What layers make of one device together: what a client may map, reach and move.
class StackViewsTest {
    private static final MmapArea FIRST = new MmapArea(0, 0x1000, false);
    private static final MmapArea SECOND = new MmapArea(0x1000, 0x1000, false);
    private static final MmapArea BOTH = new MmapArea(0, 0x2000, false);

    private final OneDevice one = new OneDevice();
    private final List<String> log = new ArrayList<>();

    @AfterEach
    void close() {
        one.close();
    }

    /// One that changes what a client is told of BAR0, and tells what it is asked.
    private class Viewing extends Mediation {
        final String name;
        MediationContext context;
        UnaryOperator<RegionInfo> view = UnaryOperator.identity();
        Set<Capability> wanted = Set.of();
        Optional<MigrationDriver> driver = Optional.empty();
        boolean stateless = true;
        boolean refuses;

        Viewing(String name) {
            this.name = name;
        }

        @Override
        public Set<Capability> capabilities() {
            return wanted;
        }

        @Override
        public Optional<MigrationDriver> migration() {
            return driver;
        }

        @Override
        public boolean stateless() {
            return stateless;
        }

        @Override
        public RegionInfo regionInfo(RegionInfo defaults) {
            return defaults.index() == 0 ? view.apply(defaults) : defaults;
        }

        @Override
        public MapVerdict map(int region, long offset, long length) throws VfioException {
            log.add(name + " map");
            checkRefusal();
            return MapVerdict.PASS_THROUGH;
        }

        @Override
        public void dmaMap(DmaWindow window) throws VfioException {
            log.add(name + " dmaMap");
            checkRefusal();
        }

        @Override
        public void dmaUnmap(DmaWindow window) {
            log.add(name + " dmaUnmap");
        }

        @Override
        public boolean relaysInterrupts() {
            return true;
        }

        @Override
        public void interrupt(InterruptKind kind, int vector) {
            log.add(name + " interrupt");
        }

        private void checkRefusal() throws VfioException {
            if (refuses) {
                throw new VfioException(Errno.EACCES, "mediation=%s expected=something else".formatted(name));
            }
        }
    }

    private Viewing viewing(String name) {
        Viewing mediation = new Viewing(name);
        one.mediator(name, (asked, context) -> {
            mediation.context = context;
            return Optional.of(mediation);
        });
        return mediation;
    }

    private Mediator named(String name) {
        return one.mediators.stream().filter(mediator -> mediator.identity().name().equals(name)).findFirst().orElseThrow();
    }

    private void declareTopOverBottom() {
        one.function.declare(new MediatorStack(List.of("top", "bottom")));
    }

    private static UnaryOperator<RegionInfo> areas(MmapArea... areas) {
        return info -> info.with(new RegionCapability.SparseMmap(List.of(areas)));
    }

    private static List<MmapArea> mappable(VfioDevice handle) throws VfioException {
        return handle.regionInfo(0).sparseMmap().map(RegionCapability.SparseMmap::areas).orElse(List.of());
    }

    @Test
    void onlyWhatNoLayerTakesOutIsMapped() throws VfioException {
        Viewing bottom = viewing("bottom");
        Viewing top = viewing("top");
        bottom.view = areas(SECOND);
        top.view = areas(BOTH);
        declareTopOverBottom();
        try (VfioDevice handle = one.open()) {
            assertThat(mappable(handle)).containsExactly(SECOND);
            VfioErrors.assertErrno(Errno.EINVAL, () -> handle.map(0, 0, 0x1000));
            handle.map(0, 0x1000, 0x1000).close();
            assertThat(log).containsExactly("top map", "bottom map");
            assertThat(top.context.regionInfoBelow(0).sparseMmap().orElseThrow().areas()).containsExactly(SECOND);
            top.view = areas(FIRST);
            assertThat(mappable(handle)).isEmpty();
            assertThat(handle.regionInfo(0).flags()).doesNotContain(RegionInfo.Flag.MMAP);
            one.goes(named("bottom"));
            assertThat(mappable(handle)).containsExactly(FIRST);
        }
    }

    @Test
    void anyLayerMayRefuseAMap() throws VfioException {
        Viewing bottom = viewing("bottom");
        viewing("top");
        bottom.refuses = true;
        declareTopOverBottom();
        try (VfioDevice handle = one.open()) {
            VfioErrors.assertErrno(Errno.EACCES, () -> handle.map(0, 0, 0x1000));
            assertThat(log).containsExactly("top map", "bottom map");
        }
    }

    @Test
    void theSizeIsTheTopmostOnesAsLongAsItIsThere() throws VfioException {
        Viewing top = viewing("top");
        viewing("bottom");
        top.view = info -> info.withSize(0x4000);
        declareTopOverBottom();
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, 0x3FFC);
            VfioErrors.assertErrno(Errno.EINVAL, () -> read32(port, 0, 0x4000));
            one.goes(named("bottom"));
            VfioErrors.assertErrno(Errno.EINVAL, () -> read32(port, 0, 0x4000));
            one.goes(named("top"));
            read32(port, 0, 0x4000);
        }
    }

    @Test
    void trapsWhileOneOfThemWantsThat() throws VfioException {
        Viewing bottom = viewing("bottom");
        Viewing top = viewing("top");
        bottom.wanted = Set.of(Capability.DYNAMIC_TRAP_BAR);
        top.wanted = Set.of(Capability.DYNAMIC_TRAP_BAR);
        bottom.view = areas(new MmapArea(0x1000, 0x1000, true));
        declareTopOverBottom();
        try (VfioDevice handle = one.open()) {
            top.context.trap(true);
            bottom.context.trap(true);
            top.context.trap(false);
            assertThat(one.function.status().trapping()).isTrue();
            one.goes(named("bottom"));
            assertThat(one.function.status().trapping()).isFalse();
            top.context.trap(true);
            assertThat(one.function.status().trapping()).isTrue();
            assertThat(handle.address()).isEqualTo(one.hardware.address());
        }
    }

    @Test
    void interruptsAreToldFromTheLowestUp() throws VfioException {
        viewing("bottom");
        viewing("top");
        declareTopOverBottom();
        try (VfioDevice handle = one.open()) {
            one.hardware.lent.interrupts().raise(InterruptKind.MSIX, 0);
            assertThat(log).containsExactly("bottom interrupt", "top interrupt");
            assertThat(handle.info().regions()).isPositive();
        }
    }

    @Test
    void aWindowThatOneRefusesIsNobodys() throws VfioException {
        Viewing bottom = viewing("bottom");
        viewing("top");
        declareTopOverBottom();
        try (VfioDevice handle = one.open()) {
            DmaMapping window = new DmaMapping(0x10000, 0x1000, true, true,
                new DmaBacking.Segment(Arena.ofAuto().allocate(0x1000, 0x1000)));
            handle.dmaMap(window);
            handle.dmaUnmap(0x10000, 0x1000);
            assertThat(log).containsExactly("top dmaMap", "bottom dmaMap", "bottom dmaUnmap", "top dmaUnmap");
            log.clear();
            bottom.refuses = true;
            VfioErrors.assertErrno(Errno.EACCES, () -> handle.dmaMap(window));
            assertThat(log).containsExactly("top dmaMap", "bottom dmaMap", "top dmaUnmap");
        }
    }

    @Test
    void theLowestThatCanMovesTheDeviceUnlessAnotherHasState() throws VfioException {
        Viewing bottom = viewing("bottom");
        Viewing top = viewing("top");
        bottom.driver = Optional.of(new PreCopyingDriver(() -> { }));
        top.stateless = false;
        declareTopOverBottom();
        try (VfioDevice handle = one.open()) {
            Migration migration = handle.migration().orElseThrow();
            migration.state(MigrationState.STOP);
            VfioErrors.assertErrno(Errno.EOPNOTSUPP, () -> migration.state(MigrationState.STOP_COPY));
            assertThat(migration.state()).isEqualTo(MigrationState.STOP);
            top.stateless = true;
            migration.state(MigrationState.STOP_COPY);
            migration.state(MigrationState.RUNNING);
            one.goes(named("top"));
            migration.state(MigrationState.STOP_COPY);
            one.goes(named("bottom"));
            assertThat(handle.migration()).isEmpty();
        }
    }

    @Test
    void memoryOfOneNameIsEachLayersOwn() throws VfioException {
        Viewing bottom = viewing("bottom");
        Viewing top = viewing("top");
        declareTopOverBottom();
        try (VfioDevice handle = one.open()) {
            var own = top.context.sharedMemory("state", 0x1000);
            assertThat(top.context.sharedMemory("state", 0x1000)).isSameAs(own);
            assertThat(bottom.context.sharedMemory("state", 0x2000)).isNotSameAs(own);
            assertThat(handle.address()).isEqualTo(one.hardware.address());
        }
    }
}
