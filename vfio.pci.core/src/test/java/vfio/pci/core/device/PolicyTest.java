// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MediatorPolicy;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.VfioErrors;
import vfio.pci.core.binding.Mediator;

/// What becomes of an open device when its mediator goes.
class PolicyTest {
    private static final Claim REGISTER = Claim.of(0, 0x5000, 4);
    private static final int ANSWER = 0xA5A5A5A5;

    private final OneDevice one = new OneDevice();

    @AfterEach
    void close() {
        one.close();
    }

    private static CompletableFuture<Integer> reading(DevicePort port) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return read32(port, 0, 0x5000);
            } catch (VfioException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void frozenAccessesAreAnsweredByTheSuccessor() throws VfioException {
        Mediator first = one.accepting("first", context -> new AnsweringMediation(REGISTER));
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            one.goes(first, MediatorPolicy.FREEZE, Duration.ofSeconds(20));
            CompletableFuture<Integer> read = reading(port);
            Mediator refusing = one.mediator("refusing", (asked, context) -> Optional.empty());
            assertThat(one.function.thaw(refusing)).isFalse();
            assertThat(read).isNotDone();
            Mediator second = one.accepting("second", context -> new AnsweringMediation(REGISTER));
            assertThat(one.function.thaw(second)).isTrue();
            assertThat(read.join()).isEqualTo(ANSWER);
            assertThat(second.status().devices()).hasSize(1);
            one.goes(second);
            assertThat(read32(port, 0, 0x5000)).as("the policy was another one").isZero();
        }
    }

    @Test
    void aFrozenDeviceCanBeGivenAMediatorByHand() throws VfioException {
        Mediator first = one.accepting("first", context -> new AnsweringMediation(REGISTER));
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            one.goes(first, MediatorPolicy.FREEZE, Duration.ofSeconds(20));
            CompletableFuture<Integer> read = reading(port);
            VfioErrors.assertErrno(Errno.EPERM, () -> one.function.rebind(List.of()));
            assertThat(read).isNotDone();
            Mediator second = one.accepting("second", context -> new AnsweringMediation(REGISTER));
            assertThat(one.function.rebind(List.of(second)).mediator()).contains("second");
            assertThat(read.join()).isEqualTo(ANSWER);
        }
    }

    @Test
    void frozenAccessesPassThroughWhenNobodyComes() throws VfioException {
        Mediator first = one.accepting("first", context -> new AnsweringMediation(REGISTER));
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            long begin = System.nanoTime();
            one.goes(first, MediatorPolicy.FREEZE, Duration.ofMillis(200));
            assertThat(read32(port, 0, 0x5000)).isZero();
            assertThat(System.nanoTime() - begin).isBetween(Duration.ofMillis(200).toNanos(), Duration.ofSeconds(10).toNanos());
            Mediator late = one.accepting("late", context -> new AnsweringMediation(REGISTER));
            assertThat(one.function.thaw(late)).isFalse();
        }
    }

    @Test
    void clientsOfADetachedDeviceAreToldAndTheNextOneHasItAnew() throws VfioException {
        Mediator first = one.accepting("first", context -> new AnsweringMediation(REGISTER));
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger failed = new AtomicInteger();
        AtomicInteger gone = new AtomicInteger();
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            handle.setIrqTriggers(IrqIndex.REQ, 0, List.of(asked::incrementAndGet));
            handle.setIrqTriggers(IrqIndex.ERR, 0, List.of(failed::incrementAndGet));
            handle.onGone(gone::incrementAndGet);
            one.goes(first, MediatorPolicy.DETACH, Duration.ofSeconds(1));
            assertThat(List.of(asked.get(), failed.get(), gone.get())).containsExactly(1, 1, 1);
            VfioErrors.assertErrno(Errno.ENODEV, () -> read32(port, 0, 0x5000));
            try (VfioDevice next = one.open(); DevicePort nextPort = next.port()) {
                assertThat(read32(nextPort, 0, 0x5000)).isZero();
            }
        }
        one.openAndClose();
    }

    @Test
    void refusingIsForThoseWhoAsk() throws VfioException {
        Mediator first = one.accepting("first", context -> new AnsweringMediation(REGISTER));
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            one.goes(first, MediatorPolicy.REFUSE, Duration.ofSeconds(1));
            assertThat(read32(port, 0, 0x5000)).isZero();
        }
    }

    @Test
    void aDeviceIsIsolatedUntilACloseThatHangsReturns() throws VfioException {
        CountDownLatch end = new CountDownLatch(1);
        Mediator hanging = one.accepting("hanging", context -> new AnsweringMediation(REGISTER) {
            @Override
            public void close() {
                boolean done = false;
                while (!done) {
                    try {
                        end.await();
                        done = true;
                    } catch (InterruptedException e) {
                        // As a stuck one does not.
                    }
                }
            }
        });
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            long begin = System.nanoTime();
            one.goes(hanging);
            assertThat(System.nanoTime() - begin).isLessThan(Duration.ofSeconds(10).toNanos());
            assertThat(hanging.status().stuck()).hasSize(1);
            assertThat(one.function.status().isolated()).isPresent();
            VfioErrors.assertErrno(Errno.EIO, () -> read32(port, 0, 0x5000));
            end.countDown();
            await("its thread leaves", () -> hanging.status().stuck().isEmpty());
            assertThat(one.function.status().isolated()).isEmpty();
            assertThat(read32(port, 0, 0x5000)).as("the device goes on").isZero();
        }
    }
}
