// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.admin.MediatorPolicy;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Handover;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.MediatorStack;

/// What a mediation keeps by itself passes to the one that follows, however that comes.
@Timeout(60)
class HandoverTest {
    private static final long REGISTER = 0x5000;
    private static final long OTHER = 0x5100;
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

    private final OneDevice one = new OneDevice();
    private final CountDownLatch hangs = new CountDownLatch(1);
    private final CountDownLatch end = new CountDownLatch(1);

    @AfterEach
    void close() {
        end.countDown();
        one.close();
    }

    /// Answers reads of a register with how many there were, here and in those before.
    private final class Keeping extends AnsweringMediation {
        private final AtomicInteger count = new AtomicInteger();
        private final int major;
        private final String failing;

        Keeping(int major, String failing) {
            this(REGISTER, major, failing);
        }

        Keeping(long register, int major, String failing) {
            super(Claim.of(0, register, 4));
            this.major = major;
            this.failing = failing;
        }

        @Override
        public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int bytes) throws VfioException {
            super.read(region, offset, buffer, bufferOffset, bytes);
            at("read");
            buffer.set(ValueLayout.JAVA_INT_UNALIGNED, bufferOffset, count.incrementAndGet());
            return Verdict.HANDLED;
        }

        private void at(String place) throws VfioException {
            if (failing.equals("refuses in " + place)) {
                throw new VfioException(Errno.EINVAL, "no " + place);
            }
            if (failing.equals("hangs in " + place)) {
                hangs.countDown();
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
        }

        @Override
        public Optional<Handover> handover() {
            return failing.equals("keeps nothing") ? Optional.empty() : Optional.of(new Handover() {
                @Override
                public StateVersion version() {
                    return new StateVersion(major, 0);
                }

                @Override
                public List<StateSection> save() throws VfioException {
                    at("save");
                    byte[] data = new byte[failing.equals("is large") ? (int) MOST_BYTES + 1 : Integer.BYTES];
                    MemorySegment.ofArray(data).set(ValueLayout.JAVA_INT_UNALIGNED, 0, count.get());
                    return List.of(new StateSection("count", major, data));
                }

                @Override
                public void load(String mediator, StateVersion version, List<StateSection> sections) throws VfioException {
                    called();
                    assertThat(reads).hasValue(0);
                    at("load");
                    if (version.major() > major) {
                        throw new VfioException(Errno.EINVAL, "version=" + version);
                    }
                    count.set(MemorySegment.ofArray(sections.getFirst().data()).get(ValueLayout.JAVA_INT_UNALIGNED, 0));
                }
            });
        }
    }

    private Mediator keeping(int major, String failing) {
        return one.accepting("keeping", context -> new Keeping(major, failing));
    }

    private Exchange swap(Mediator from, Mediator to) {
        return MediatorSwap.eachAlone(List.of(one.function), from, to).getFirst();
    }

    private static CompletableFuture<Integer> reading(DevicePort port) {
        return reading(port, REGISTER);
    }

    private static CompletableFuture<Integer> reading(DevicePort port, long register) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return read32(port, 0, register);
            } catch (VfioException e) {
                throw new IllegalStateException(e);
            }
        }, THREADS);
    }

    @Test
    void aSwapPassesItOnOrIsRolledBack() throws VfioException {
        Mediator from = keeping(1, "");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
            assertThat(swap(from, keeping(1, "refuses in load")).failure()).hasValueSatisfying(why -> assertThat(why).contains("no load"));
            assertThat(swap(from, keeping(1, "keeps nothing")).failure()).isPresent();
            assertThat(read32(port, 0, REGISTER)).isEqualTo(2);
            Mediator next = keeping(2, "");
            assertThat(swap(from, next).failure()).isEmpty();
            assertThat(read32(port, 0, REGISTER)).isEqualTo(3);
            assertThat(swap(next, keeping(1, "")).failure()).as("of a newer version").isPresent();
            assertThat(read32(port, 0, REGISTER)).isEqualTo(4);
            assertThat(one.hardware.done).as("the device runs on").doesNotContain("reset");
        }
    }

    @Test
    void whatIsTooMuchOrRefusedIsNotSwapped() throws VfioException {
        for (String how : List.of("is large", "refuses in save")) {
            try (OneDevice device = new OneDevice()) {
                Mediator from = device.accepting("keeping", context -> new Keeping(1, how));
                Mediator to = device.accepting("keeping", context -> new Keeping(1, ""));
                try (VfioDevice handle = device.open(); DevicePort port = handle.port()) {
                    assertThat(MediatorSwap.eachAlone(List.of(device.function), from, to).getFirst().failure()).as(how).isPresent();
                    assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
                }
            }
        }
    }

    @Test
    void rebindingPassesItOnToWhoKnowsIt() throws VfioException {
        keeping(2, "");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            one.function.rebind(List.of(keeping(2, "")));
            assertThat(read32(port, 0, REGISTER)).isEqualTo(2);
            one.function.rebind(List.of(keeping(1, "")));
            assertThat(read32(port, 0, REGISTER)).as("it begins anew").isEqualTo(1);
            one.function.rebind(List.of(keeping(1, "keeps nothing")));
            assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
        }
    }

    @Test
    void aFrozenDevicesSuccessorHasIt() throws VfioException {
        Mediator first = keeping(1, "");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
            Mediator present = first;
            for (int i = 2; i < 20; i++) {
                one.goes(present, MediatorPolicy.FREEZE, LONG);
                CompletableFuture<Integer> read = reading(port);
                present = keeping(1, "");
                assertThat(one.function.thaw(present)).isTrue();
                assertThat(read.join()).isEqualTo(i);
            }
        }
    }

    @Test
    void aFrozenDeviceGoesOnWithASuccessorThatDoesNotKnowIt() throws VfioException {
        for (String how : List.of("refuses in load", "keeps nothing")) {
            try (OneDevice device = new OneDevice()) {
                Mediator first = device.accepting("keeping", context -> new Keeping(1, ""));
                try (VfioDevice handle = device.open(); DevicePort port = handle.port()) {
                    read32(port, 0, REGISTER);
                    read32(port, 0, REGISTER);
                    device.goes(first, MediatorPolicy.FREEZE, LONG);
                    assertThat(device.function.thaw(device.accepting("keeping", context -> new Keeping(1, how)))).isTrue();
                    assertThat(read32(port, 0, REGISTER)).as(how).isEqualTo(1);
                }
            }
        }
    }

    @Test
    void aFrozenDeviceIsOfferedToThoseWhoAreThere() throws VfioException {
        Mediator first = keeping(1, "");
        one.mediator("refusing", (asked, context) -> Optional.empty());
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            keeping(1, "");
            one.goes(first, MediatorPolicy.FREEZE, LONG);
            CompletableFuture<Integer> read = reading(port);
            one.function.thaw(one.mediators);
            assertThat(read.join()).isEqualTo(2);
        }
    }

    @Test
    void whatNobodyComesForIsDropped() throws VfioException {
        Mediator first = keeping(1, "");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            one.goes(first, MediatorPolicy.FREEZE, Duration.ofMillis(50));
            assertThat(read32(port, 0, REGISTER)).as("it passes through").isZero();
            one.function.rebind(List.of(keeping(1, "")));
            assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
        }
    }

    @Test
    void oneThatHangsWhileItGivesIsIsolatedAsAnyOther() throws VfioException {
        one.impatient();
        Mediator first = keeping(1, "hangs in save");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            one.goes(first, MediatorPolicy.FREEZE, Duration.ofMillis(50));
            assertThat(first.status().stuck()).hasSize(1);
            await("accesses go on", () -> one.function.device().orElseThrow().held() == null);
            assertErrno(Errno.EIO, () -> read32(port, 0, REGISTER));
            end.countDown();
            await("its thread leaves", () -> first.status().stuck().isEmpty());
            assertThat(read32(port, 0, REGISTER)).isZero();
        }
    }

    @Test
    void aSuccessorThatHangsWhileItTakesIsGivenUp() throws VfioException {
        one.impatient();
        Mediator first = keeping(1, "");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            // The device keeps its own bound: the one before has as long as it takes.
            one.impatient(LONG);
            one.goes(first, MediatorPolicy.FREEZE, LONG);
            Mediator hanging = keeping(1, "hangs in load");
            assertThat(one.function.thaw(hanging)).isFalse();
            assertThat(hanging.status().devices()).isEmpty();
            assertThat(hanging.status().stuck()).hasSize(1);
            end.countDown();
            await("its thread leaves", () -> hanging.status().stuck().isEmpty());
            assertThat(one.function.thaw(keeping(1, ""))).isTrue();
            assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
        }
    }

    @Test
    void nobodyEntersASuccessorThatHasNotTakenOverYet() throws Exception {
        Mediator first = keeping(1, "");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
            one.goes(first, MediatorPolicy.FREEZE, Duration.ofSeconds(5));
            Mediator slow = keeping(1, "hangs in load");
            CompletableFuture<Boolean> thaw = CompletableFuture.supplyAsync(() -> one.function.thaw(slow), THREADS);
            hangs.await();
            assertThat(read32(port, 0, REGISTER)).as("nobody waits any more, and it passes through").isZero();
            assertThat(thaw).isNotDone();
            end.countDown();
            assertThat(thaw.join()).isTrue();
            assertThat(read32(port, 0, REGISTER)).isEqualTo(2);
        }
    }

    @Test
    void aDeviceThatGoesWhileItsSuccessorTakesOverIsNotBound() throws Exception {
        Mediator first = keeping(1, "");
        try (VfioDevice handle = one.open()) {
            one.goes(first, MediatorPolicy.FREEZE, LONG);
            Mediator slow = keeping(1, "hangs in load");
            CompletableFuture<Boolean> thaw = CompletableFuture.supplyAsync(() -> one.function.thaw(slow), THREADS);
            hangs.await();
            CompletableFuture<Void> gone = CompletableFuture.runAsync(() -> one.function.gone("its function has gone"), THREADS);
            await("it has gone", () -> one.function.device().filter(open -> !open.hasGone()).isEmpty());
            end.countDown();
            assertThat(thaw.join()).isFalse();
            gone.join();
            assertThat(slow.status().devices()).isEmpty();
        }
    }

    private Mediator guard() {
        return one.accepting("guard", context -> new Keeping(REGISTER, 1, ""));
    }

    private Mediator driver() {
        return one.accepting("driver", context -> new Keeping(OTHER, 1, ""));
    }

    /// Both layers have what was kept in them, whoever goes and comes first, and nobody passes by one that has not come yet.
    @Test
    void layersThatGoTogetherAreWaitedForTogether() throws VfioException {
        one.function.declare(new MediatorStack(List.of("guard", "driver", "-")));
        Mediator guard = guard();
        Mediator driver = driver();
        try (VfioDevice handle = one.open(); DevicePort port = handle.port(); DevicePort second = handle.port()) {
            read32(port, 0, REGISTER);
            read32(port, 0, OTHER);
            for (int i = 2; i < 8; i++) {
                boolean guardFirst = i % 2 == 0;
                one.goes(guardFirst ? guard : driver, MediatorPolicy.FREEZE, LONG);
                one.goes(guardFirst ? driver : guard, MediatorPolicy.FREEZE, LONG);
                CompletableFuture<Integer> guarded = reading(port, REGISTER);
                CompletableFuture<Integer> driven = reading(second, OTHER);
                boolean guardComesFirst = i % 3 == 0;
                if (guardComesFirst) {
                    guard = guard();
                    assertThat(one.function.thaw(guard)).isTrue();
                    driver = driver();
                } else {
                    driver = driver();
                    assertThat(one.function.thaw(driver)).isTrue();
                    guard = guard();
                }
                assertThat(one.function.device().orElseThrow().held()).as("one is not there yet").isNotNull();
                assertThat(one.function.thaw(guardComesFirst ? driver : guard)).isTrue();
                assertThat(List.of(guarded.join(), driven.join())).containsExactly(i, i);
            }
        }
    }

    @Test
    void layersThatGoTogetherAreOfferedToAllWhoAreThere() throws VfioException {
        one.function.declare(new MediatorStack(List.of("guard", "driver", "-")));
        Mediator guard = guard();
        Mediator driver = driver();
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            for (int i = 1; i < 7; i += 2) {
                assertThat(List.of(read32(port, 0, REGISTER), read32(port, 0, OTHER))).containsExactly(i, i);
                one.goes(guard, MediatorPolicy.FREEZE, LONG);
                one.goes(driver, MediatorPolicy.FREEZE, LONG);
                guard = guard();
                driver = driver();
                if (i == 1) {
                    assertThat(one.function.rebind(one.mediators).mediator()).contains("guard over driver");
                } else {
                    one.function.thaw(one.mediators);
                }
                assertThat(List.of(read32(port, 0, REGISTER), read32(port, 0, OTHER))).containsExactly(i + 1, i + 1);
            }
        }
    }

    @Test
    void whatSeveralLayersKeptIsDroppedWhenOneOfThemIsNotComeFor() throws VfioException {
        one.function.declare(new MediatorStack(List.of("guard", "driver", "-")));
        Mediator guard = guard();
        Mediator driver = driver();
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            assertThat(List.of(read32(port, 0, REGISTER), read32(port, 0, OTHER))).containsExactly(1, 1);
            one.goes(guard, MediatorPolicy.FREEZE, Duration.ofSeconds(5));
            one.goes(driver, MediatorPolicy.FREEZE, LONG);
            assertThat(one.function.thaw(driver())).isTrue();
            assertThat(read32(port, 0, REGISTER)).as("the first one's time is over").isZero();
            assertThat(read32(port, 0, OTHER)).isEqualTo(2);
            assertThat(one.function.thaw(guard())).isFalse();
        }
    }

    @Test
    void anAccessThatIsStuckInOneDeviceCostsAnotherNothing() throws Exception {
        one.impatient(Duration.ofSeconds(40));
        try (OneDevice before = new OneDevice().impatient()) {
            Mediator first = keeping(1, "");
            Mediator stuck = before.accepting("keeping", context -> new Keeping(1, "hangs in read"));
            try (VfioDevice handle = one.open(); DevicePort port = handle.port();
                    VfioDevice stuckHandle = before.open(); DevicePort stuckPort = stuckHandle.port()) {
                assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
                CompletableFuture<Integer> stuckRead = reading(stuckPort);
                hangs.await();
                long deadline = System.nanoTime() + Duration.ofMillis(100).toNanos();
                first.shut(deadline);
                stuck.shut(deadline);
                List<MediatorDeparture> departures = List.of(
                    before.function.depart(stuck, MediatorPolicy.FREEZE, LONG, deadline).orElseThrow(),
                    one.function.depart(first, MediatorPolicy.FREEZE, LONG, deadline).orElseThrow());
                assertThat(System.nanoTime() - deadline).as("the time they share is over").isPositive();
                MediatorDeparture.finish(departures, Duration.ofMillis(100));
                assertThat(one.function.thaw(keeping(1, ""))).isTrue();
                assertThat(read32(port, 0, REGISTER)).isEqualTo(2);
                end.countDown();
                await("the stuck access ends", stuckRead::isDone);
            }
        }
    }
}
