// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;
import static vfio.pci.core.device.OneDevice.write32;

import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.MediatorRegistry;

/// The one exception to "gone means gone", bounded and visible: a thread that does not leave in time.
@Timeout(60)
class StuckMediationTest {
    private final OneDevice one = new OneDevice().impatient();
    private Hanging hanging;
    private Mediator mediator;

    @AfterEach
    void end() {
        one.close();
    }

    /// Hangs until it is interrupted, and then until it is let go; then uses its context and answers as if nothing were.
    private static final class Hanging extends AnsweringMediation {
        private final MediationContext context;
        private final CountDownLatch inside = new CountDownLatch(1);
        private final CountDownLatch mayLeave = new CountDownLatch(1);
        private volatile boolean interrupted;
        private volatile boolean hangs = true;
        private final List<Throwable> refused = new ArrayList<>();

        Hanging(MediationContext context) {
            super(Claim.of(0, 0x4000, 4));
            this.context = context;
        }

        private void hang() {
            if (!hangs) {
                return;
            }
            inside.countDown();
            try {
                mayLeave.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
            for (boolean left = false; !left;) {
                try {
                    mayLeave.await();
                    left = true;
                } catch (InterruptedException e) {
                    throw new AssertionError("interrupted twice");
                }
            }
            if (interrupted) {
                // as code does that cannot throw it on
                Thread.currentThread().interrupt();
            }
            MemorySegment bytes = MemorySegment.ofArray(new byte[4]);
            refused.add(catchThrowable(() -> context.readBelow(0, 0, bytes, 0, 4)));
            refused.add(catchThrowable(() -> context.addRegion(0x1000, Optional.empty(), RegionInfo.absent(0))));
            refused.add(catchThrowable(() -> context.trap(true)));
            refused.add(catchThrowable(() -> context.guestMemory()));
        }

        @Override
        public Set<Capability> capabilities() {
            return Set.of(Capability.MIGRATION);
        }

        @Override
        public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            hang();
            return super.read(region, offset, buffer, bufferOffset, count);
        }

        @Override
        public Optional<MigrationDriver> migration() {
            return Optional.of(new PreCopyingDriver(this::hang));
        }

        @Override
        public void reset() {
            hang();
        }
    }

    private VfioDevice openHanging() throws VfioException {
        mediator = one.accepting("hanging", context -> {
            hanging = new Hanging(context);
            return hanging;
        });
        return one.open();
    }

    private <R> FutureTask<R> start(Callable<R> call) throws InterruptedException {
        FutureTask<R> task = new FutureTask<>(call);
        Thread.ofPlatform().name("stuck").start(task);
        hanging.inside.await();
        return task;
    }

    private static Throwable answerOf(FutureTask<?> task) {
        return catchThrowable(() -> task.get(30, TimeUnit.SECONDS)).getCause();
    }

    private void assertAbandoned(DevicePort port) {
        assertThat(mediator.status().stuck()).singleElement().satisfies(thread -> {
            assertThat(thread.thread()).isEqualTo("stuck");
            assertThat(thread.device()).isEqualTo(one.hardware.address());
            assertThat(thread.stack()).anyMatch(frame -> frame.contains("Hanging.hang"));
        });
        assertThat(one.function.status().isolated()).isPresent();
        assertErrno(Errno.EIO, () -> read32(port, 0, 0x8000));
        assertThat(hanging.closes).as("somebody is inside").hasValue(0);
    }

    private void assertUsableAgain(VfioDevice device) throws VfioException {
        assertThat(hanging.interrupted).isTrue();
        assertThat(hanging.refused).hasSize(4).allMatch(thrown -> thrown instanceof VfioException
            || thrown instanceof IllegalStateException);
        assertThat(mediator.status().stuck()).isEmpty();
        assertThat(one.function.status().isolated()).isEmpty();
        assertThat(one.function.status().trapping()).isFalse();
        write32(device.port(), 0, 0x4000, 5);
        assertThat(read32(device.port(), 0, 0x4000)).isEqualTo(5);
        assertThat(hanging.closes).hasValue(0);
    }

    @Test
    void givesUpAThreadThatStaysInARead() throws Exception {
        VfioDevice device = openHanging();
        DevicePort other = device.port();
        FutureTask<Integer> reading = start(() -> {
            try (DevicePort port = device.port()) {
                return read32(port, 0, 0x4000);
            }
        });
        long begin = System.nanoTime();
        one.goes(mediator);
        assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(one.settings.drainTimeout().toNanos());
        assertAbandoned(other);
        hanging.mayLeave.countDown();
        assertThat(answerOf(reading)).as("its result is discarded")
            .isInstanceOfSatisfying(VfioException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
        assertUsableAgain(device);
        device.close();
    }

    @Test
    void takesTheInterruptBackWhenTheThreadLeaves() throws Exception {
        VfioDevice device = openHanging();
        FutureTask<Boolean> reading = start(() -> {
            catchThrowable(() -> read32(device.port(), 0, 0x4000));
            return Thread.currentThread().isInterrupted();
        });
        one.goes(mediator);
        hanging.mayLeave.countDown();
        assertThat(reading.get(30, TimeUnit.SECONDS)).isFalse();
        device.close();
    }

    @Test
    void givesUpAThreadThatStaysInAChangeOfState() throws Exception {
        VfioDevice device = openHanging();
        DevicePort port = device.port();
        FutureTask<Void> writing = start(() -> {
            write32(port, RegionIndex.FIRST_SPECIFIC, 0, 3);
            return null;
        });
        one.goes(mediator);
        assertAbandoned(port);
        hanging.mayLeave.countDown();
        assertThat(answerOf(writing)).isInstanceOfSatisfying(VfioException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
        assertUsableAgain(device);
        device.close();
    }

    @Test
    void closesADeviceThoughAThreadIsStuckInAReset() throws Exception {
        VfioDevice device = openHanging();
        FutureTask<Void> resetting = start(() -> {
            device.reset();
            return null;
        });
        device.close();
        assertThat(one.hardware.driver()).isEmpty();
        assertThat(one.function.device()).isEmpty();
        Hanging first = hanging;
        first.mayLeave.countDown();
        resetting.get(30, TimeUnit.SECONDS);
        one.openAndClose();
        assertThat(first.closes).hasValue(0);
        assertThat(hanging.closes).as("bound anew").hasValue(1);
    }

    @Test
    void letsTheFunctionGoThoughAThreadIsStuckInAReset() throws Exception {
        VfioDevice device = openHanging();
        FutureTask<Void> resetting = start(() -> {
            device.reset();
            return null;
        });
        one.function.gone("its function has gone");
        assertThat(one.hardware.driver()).isEmpty();
        assertErrno(Errno.ENODEV, device::port);
        hanging.mayLeave.countDown();
        resetting.get(30, TimeUnit.SECONDS);
        assertErrno(Errno.ENODEV, device::port);
        device.close();
        assertThat(one.function.device()).isEmpty();
    }

    @Test
    void opensADeviceAgainThoughAThreadIsStuckInAReadOfThePreviousOne() throws Exception {
        VfioDevice device = openHanging();
        FutureTask<Integer> reading = start(() -> read32(device.port(), 0, 0x4000));
        Hanging first = hanging;
        device.close();
        VfioDevice again = one.open();
        hanging.hangs = false;
        assertThat(hanging).isNotSameAs(first);
        assertThat(read32(again.port(), 0, 0x4000)).isEqualTo(0xA5A5A5A5);
        first.mayLeave.countDown();
        assertThat(answerOf(reading)).isInstanceOf(VfioException.class);
        assertThat(read32(again.port(), 0, 0x4000)).isEqualTo(0xA5A5A5A5);
        again.close();
    }

    @Test
    void isHeldByNothingOnceItsThreadHasLeft() throws Exception {
        VfioDevice device = openHanging();
        FutureTask<Integer> reading = start(() -> read32(device.port(), 0, 0x4000));
        WeakReference<Hanging> gone = new WeakReference<>(hanging);
        one.goes(mediator);
        hanging.mayLeave.countDown();
        answerOf(reading);
        hanging = null;
        await("nothing holds the mediation", () -> {
            System.gc();
            return gone.get() == null;
        });
        device.close();
    }

    @Test
    void listsWhoIsStuckAfterTheMediatorHasGone() throws Exception {
        MediatorRegistry registry = new MediatorRegistry();
        VfioDevice device = openHanging();
        registry.add(mediator);
        FutureTask<Integer> reading = start(() -> read32(device.port(), 0, 0x4000));
        registry.remove(mediator);
        one.goes(mediator);
        registry.depart(mediator);
        assertThat(registry.inOrder()).isEmpty();
        assertThat(registry.status()).singleElement().extracting(MediatorStatus::name).isEqualTo("hanging");
        hanging.mayLeave.countDown();
        answerOf(reading);
        assertThat(registry.status()).isEmpty();
        device.close();
    }
}
