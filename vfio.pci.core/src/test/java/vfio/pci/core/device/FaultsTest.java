// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;
import static vfio.pci.core.device.OneDevice.write32;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.MigrationDriver;

/// The device's border: bugs of mediations and functions are answered, and nothing else is hurt.
@Timeout(60)
class FaultsTest {
    private final OneDevice one = new OneDevice();

    @AfterEach
    void end() {
        one.close();
    }

    /// A register of BAR0 for each bug there can be.
    private enum Bug {
        RUNTIME_EXCEPTION, ASSERTION_ERROR, LINKAGE_ERROR, OUT_OF_MEMORY, ENDLESS_RECURSION, MUTE_EXCEPTION, NO_VERDICT;

        long register() {
            return 0x4000 + 4L * ordinal();
        }
    }

    private static final class Faulty extends AnsweringMediation {
        private volatile boolean works;

        Faulty() {
            super(Claim.of(0, 0x4000, 0x100));
        }

        @Override
        public Set<Capability> capabilities() {
            return Set.of(Capability.MIGRATION);
        }

        @Override
        public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            return works ? super.read(region, offset, buffer, bufferOffset, count) : fail(Bug.values()[(int) (offset - 0x4000) / 4]);
        }

        @Override
        public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            return works ? super.write(region, offset, buffer, bufferOffset, count) : fail(Bug.values()[(int) (offset - 0x4000) / 4]);
        }

        private static Verdict fail(Bug bug) {
            return switch (bug) {
                case RUNTIME_EXCEPTION -> throw new IllegalStateException("bug");
                case ASSERTION_ERROR -> throw new AssertionError("bug");
                case LINKAGE_ERROR -> throw new NoClassDefFoundError("vendor/Missing");
                case OUT_OF_MEMORY -> throw new OutOfMemoryError("bug");
                case ENDLESS_RECURSION -> fail(bug) == Verdict.HANDLED ? Verdict.PASS_THROUGH : Verdict.HANDLED;
                case MUTE_EXCEPTION -> throw new MediatorOrderTest.MuteException();
                case NO_VERDICT -> null;
            };
        }

        @Override
        public RegionInfo regionInfo(RegionInfo defaults) {
            if (works && defaults.index() == 3) {
                throw new IllegalStateException("bug");
            }
            return defaults;
        }

        @Override
        public Optional<MigrationDriver> migration() {
            return Optional.of(new PreCopyingDriver(() -> {
                throw new IllegalStateException("bug");
            }));
        }

        @Override
        public void reset() {
            throw new IllegalStateException("bug");
        }

        @Override
        public void close() {
            super.close();
            throw new IllegalStateException("bug");
        }
    }

    @ParameterizedTest
    @EnumSource(Bug.class)
    void answersEioForABugOfTheMediation(Bug bug) throws VfioException {
        Faulty mediation = new Faulty();
        one.accepting("faulty", context -> mediation);
        VfioDevice device = one.open();
        DevicePort port = device.port();
        assertErrno(Errno.EIO, () -> read32(port, 0, bug.register()));
        assertErrno(Errno.EIO, () -> write32(port, 0, bug.register(), 1));
        assertThat(one.function.stats().errors()).isEqualTo(2);
        assertThat(one.function.stats().mediated()).isEqualTo(2);
        assertThat(one.function.status().mediator()).contains("faulty");
        write32(port, 0, 0x5000, 1);
        mediation.works = true;
        assertThat(read32(port, 0, bug.register())).isEqualTo(0xA5A5A5A5);
        device.close();
        assertThat(mediation.closes).hasValue(1);
    }

    @Test
    void answersEioForABugBesideTheAccessPath() throws VfioException {
        Faulty mediation = new Faulty();
        one.accepting("faulty", context -> mediation);
        VfioDevice device = one.open();
        mediation.works = true;
        assertErrno(Errno.EIO, () -> device.regionInfo(3));
        assertErrno(Errno.EIO, () -> write32(device.port(), RegionIndex.FIRST_SPECIFIC, 0, 3));
        assertErrno(Errno.EIO, device::reset);
        assertThat(read32(device.port(), RegionIndex.FIRST_SPECIFIC, 0)).as("the state is as it was").isEqualTo(1);
        assertThat(one.function.status().regions()).as("the others can be listed").isNotEmpty();
        device.close();
    }

    @Test
    void unbindsAMediationThatFailsTooOften() throws VfioException {
        Faulty mediation = new Faulty();
        one.accepting("faulty", context -> mediation);
        VfioDevice device = one.open();
        DevicePort port = device.port();
        for (int i = 0; i < one.settings.mostFaults(); i++) {
            assertErrno(Errno.EIO, () -> read32(port, 0, 0x4000));
        }
        await("it is unbound", () -> one.function.status().mediator().isEmpty());
        await("it is closed", () -> mediation.closes.get() == 1);
        write32(port, 0, 0x4000, 7);
        assertThat(read32(port, 0, 0x4000)).isEqualTo(7);
        assertThat(one.function.status().isolated()).isEmpty();
        device.close();
        assertThat(mediation.closes).hasValue(1);
    }

    /// Reads its own register through the port it is read by, for ever.
    private static final class Recursive extends AnsweringMediation {
        private final AtomicReference<DevicePort> port;

        Recursive(AtomicReference<DevicePort> port) {
            super(Claim.of(0, 0x4000, 4));
            this.port = port;
        }

        @Override
        public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            port.get().read(region, offset, buffer, bufferOffset, count);
            return Verdict.HANDLED;
        }
    }

    @Test
    void isLeftByAThreadWhoseStackOverflowedThroughThePort() throws Exception {
        one.settings = new DeviceSettings(false, one.settings.drainTimeout(), 64, Integer.MAX_VALUE);
        AtomicReference<DevicePort> used = new AtomicReference<>();
        Recursive mediation = new Recursive(used);
        one.accepting("recursive", context -> mediation);
        VfioDevice device = one.open();
        used.set(device.port());
        Thread reader = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < 20; i++) {
                assertErrno(Errno.EIO, () -> read32(used.get(), 0, 0x4000));
            }
        });
        reader.join();
        one.goes(one.mediators.getFirst());
        assertThat(mediation.closes).as("nobody was found inside").hasValue(1);
        assertThat(one.function.status().isolated()).isEmpty();
        assertThat(read32(used.get(), 0, 0x4000)).isZero();
        device.close();
    }

    @Test
    void answersEioForABugOfTheFunction() throws VfioException {
        VfioDevice device = one.open();
        DevicePort port = device.port();
        one.hardware.failsWith(new IllegalStateException("bug"));
        assertErrno(Errno.EIO, () -> read32(port, 0, 0x4000));
        assertErrno(Errno.EIO, () -> write32(port, RegionIndex.CONFIG, 4, 7));
        assertErrno(Errno.EIO, device::reset);
        device.setIrqTriggers(IrqIndex.MSIX, 0, List.of(() -> { }));
        device.disableIrq(IrqIndex.MSIX);
        one.hardware.works();
        write32(port, 0, 0x4000, 3);
        assertThat(read32(port, 0, 0x4000)).isEqualTo(3);
        device.close();
    }

    @Test
    void lendsNobodysBugToTheOther() throws VfioException {
        Faulty mediation = new Faulty();
        one.accepting("faulty", context -> mediation);
        VfioDevice device = one.open();
        DevicePort port = device.port();
        one.hardware.failsWith(new IllegalStateException("bug of the function"));
        for (int i = 0; i < 2 * one.settings.mostFaults(); i++) {
            assertErrno(Errno.EIO, () -> read32(port, 0, 0x8000));
        }
        one.hardware.works();
        assertThat(one.function.status().mediator()).as("the function's faults are not counted for it").contains("faulty");
        device.close();
    }
}
