// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;
import static vfio.pci.core.device.OneDevice.write32;

import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.MapVerdict;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.core.binding.Mediator;

/// "Gone means gone": when a mediator's service goes, nobody is in its mediations when the unregistering returns, and nothing calls them
/// after.
@Timeout(120)
class MediatorGoesTest {
    private static final int THREADS = 3;
    private static final int ROUNDS = 150;

    private final OneDevice one = new OneDevice();
    private VfioDevice stays;

    @AfterEach
    void end() {
        one.close();
    }

    @Test
    void hasNoLateCallWhenItGoesUnderLoad() throws Exception {
        one.settings = new DeviceSettings(false, Duration.ofSeconds(30), 64, 4);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        for (int round = 0; round < ROUNDS; round++) {
            AnsweringMediation mediation = new AnsweringMediation(Claim.of(0, 0x4000, 4));
            Mediator mediator = one.accepting("mediator", context -> mediation);
            VfioDevice device = one.open();
            CountDownLatch passed = new CountDownLatch(THREADS);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                threads.add(Thread.ofPlatform().start(() -> readUntilPassedThrough(device, passed, failure)));
            }
            await("accesses are mediated", () -> mediation.reads.get() > 10);
            one.goes(mediator);
            assertThat(mediation.closes).hasValue(1);
            passed.await();
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(failure.get()).isNull();
            assertThat(mediation.lateCalls).hasValue(0);
            assertThat(one.function.stats().mediated()).isEqualTo(mediation.reads.get());
            assertThat(one.function.stats().errors()).isZero();
            device.close();
        }
    }

    private static void readUntilPassedThrough(VfioDevice device, CountDownLatch passed, AtomicReference<Throwable> failure) {
        try (DevicePort port = device.port()) {
            boolean through = false;
            for (int after = 0; after < 10;) {
                int value = read32(port, 0, 0x4000);
                if (value != 0 && value != 0xA5A5A5A5 || through && value != 0) {
                    throw new AssertionError("value=0x%x after=%d".formatted(value, after));
                }
                through |= value == 0;
                after += through ? 1 : 0;
            }
        } catch (VfioException | AssertionError e) {
            failure.compareAndSet(null, e);
        } finally {
            passed.countDown();
        }
    }

    /// Calls by which a thread can be in a mediation.
    enum Way {
        READ(device -> read32(device.port(), 0, 0x4000)),
        WRITE(device -> {
            write32(device.port(), 0, 0x4000, 1);
            return 0;
        }),
        REGION_INFO(device -> (int) device.regionInfo(3).size()),
        MAP(device -> {
            device.map(0, 0, 0x1000).close();
            return 0;
        }),
        DEVICE_STATE(device -> {
            write32(device.port(), RegionIndex.FIRST_SPECIFIC, 0, 3);
            return 0;
        }),
        RESET(device -> {
            device.reset();
            return 0;
        });

        private interface Call {
            int on(VfioDevice device) throws VfioException;
        }

        private final Call call;

        Way(Call call) {
            this.call = call;
        }
    }

    /// Does something when it is entered one way.
    private static final class Entered extends AnsweringMediation {
        final MediationContext context;
        private final Way way;
        private volatile Runnable action = () -> { };
        private volatile Runnable onWrite = () -> { };

        Entered(Way way, MediationContext context) {
            super(Claim.of(0, 0x4000, 4));
            this.way = way;
            this.context = context;
        }

        private void entered(Way by) {
            called();
            if (by == way) {
                action.run();
            }
            called();
        }

        @Override
        public Set<Capability> capabilities() {
            return Set.of(Capability.MIGRATION);
        }

        @Override
        public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
            entered(Way.READ);
            return Verdict.PASS_THROUGH;
        }

        @Override
        public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
            entered(Way.WRITE);
            onWrite.run();
            return Verdict.PASS_THROUGH;
        }

        @Override
        public RegionInfo regionInfo(RegionInfo defaults) {
            if (defaults.index() == 3) {
                entered(Way.REGION_INFO);
            }
            return defaults;
        }

        @Override
        public MapVerdict map(int region, long offset, long length) {
            entered(Way.MAP);
            return MapVerdict.PASS_THROUGH;
        }

        @Override
        public Optional<MigrationDriver> migration() {
            return Optional.of(new PreCopyingDriver(() -> entered(Way.DEVICE_STATE)));
        }

        @Override
        public void reset() {
            entered(Way.RESET);
        }

        @Override
        public void close() {
            super.close();
            assertThat(catchThrowable(() -> context.regionInfoBelow(0))).as("the context serves until the return").isNull();
        }
    }

    private VfioDevice openWith(Way way, AtomicReference<Entered> made, Consumer<Entered> prepare) throws VfioException {
        one.accepting("entered " + way, context -> {
            made.set(new Entered(way, context));
            return made.get();
        });
        VfioDevice device = one.open();
        prepare.accept(made.get());
        return device;
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void mayStopItselfFromWithin(Way way) throws VfioException {
        AtomicReference<Entered> made = new AtomicReference<>();
        List<Integer> closesSeenInside = new ArrayList<>();
        VfioDevice device = openWith(way, made, mediation -> mediation.action = () -> {
            one.goes(one.mediators.getFirst());
            closesSeenInside.add(mediation.closes.get());
        });
        way.call.on(device);
        assertThat(closesSeenInside).as("not closed with somebody inside").containsExactly(0);
        assertThat(made.get().closes).as("closed when the thread had left").hasValue(1);
        assertThat(made.get().lateCalls).hasValue(0);
        assertThat(one.function.status().mediator()).isEmpty();
        assertThat(one.function.status().isolated()).isEmpty();
        assertThat(read32(device.port(), 0, 0x4000)).isEqualTo(way == Way.WRITE ? 1 : 0);
        device.close();
        assertThat(made.get().closes).hasValue(1);
    }

    @Test
    void mayStopItselfFromWithinTwoPortsAndACall() throws VfioException {
        AtomicReference<Entered> made = new AtomicReference<>();
        List<Integer> closesSeenInside = new ArrayList<>();
        VfioDevice device = openWith(Way.DEVICE_STATE, made, mediation -> mediation.action = () -> one.goes(one.mediators.getFirst()));
        DevicePort inner = device.port();
        DevicePort outer = device.port();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Entered mediation = made.get();
        // outer port -> write -> inner port -> write -> migration state -> the mediator goes
        mediation.onWrite = () -> {
            mediation.onWrite = () -> {
                mediation.onWrite = () -> { };
                failure.set(catchThrowable(() -> write32(device.port(), RegionIndex.FIRST_SPECIFIC, 0, 3)));
                closesSeenInside.add(mediation.closes.get());
            };
            failure.compareAndSet(null, catchThrowable(() -> write32(inner, 0, 0x4000, 2)));
            closesSeenInside.add(mediation.closes.get());
        };
        write32(outer, 0, 0x4000, 1);
        assertThat(failure.get()).isNull();
        assertThat(closesSeenInside).containsExactly(0, 0);
        assertThat(mediation.closes).hasValue(1);
        device.close();
    }

    @Test
    void waitsForAnotherThreadThatHasBegunToEndIt() throws Exception {
        AtomicReference<Entered> made = new AtomicReference<>();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch mayLeave = new CountDownLatch(1);
        one.settings = new DeviceSettings(false, Duration.ofSeconds(20), 64, 1);
        VfioDevice device = openWith(Way.READ, made, mediation -> mediation.action = () -> {
            inside.countDown();
            awaitUninterruptibly(mayLeave);
        });
        FutureTask<Integer> reading = new FutureTask<>(() -> read32(device.port(), 0, 0x4000));
        Thread.ofPlatform().start(reading);
        inside.await();
        FutureTask<Void> closing = new FutureTask<>(() -> device.close(), null);
        Thread closer = Thread.ofPlatform().start(closing);
        await("the handle's close waits", () -> closer.getState() == Thread.State.TIMED_WAITING);
        FutureTask<Integer> going = new FutureTask<>(() -> {
            one.goes(one.mediators.getFirst());
            return made.get().closes.get();
        });
        Thread remover = Thread.ofPlatform().start(going);
        await("the remover waits", () -> remover.getState() == Thread.State.TIMED_WAITING);
        mayLeave.countDown();
        assertThat(going.get(30, TimeUnit.SECONDS)).as("closed when the unregistering returned, whoever closed it").isEqualTo(1);
        closing.get(30, TimeUnit.SECONDS);
        assertThat(made.get().closes).hasValue(1);
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void mayGoFromWithinItsOwnClose() throws VfioException {
        one.impatient();
        List<Mediator> self = new ArrayList<>();
        AnsweringMediation mediation = new AnsweringMediation() {
            @Override
            public void close() {
                super.close();
                one.goes(self.getFirst());
            }
        };
        self.add(one.accepting("self", context -> mediation));
        VfioDevice device = one.open();
        device.close();
        assertThat(mediation.closes).hasValue(1);
        assertThat(one.function.device()).isEmpty();
    }

    @Test
    void leavesARegionAddedWhileItStopsItselfEmpty() throws VfioException {
        AtomicReference<Entered> made = new AtomicReference<>();
        List<Integer> added = new ArrayList<>();
        List<Throwable> refused = new ArrayList<>();
        VfioDevice device = openWith(Way.READ, made, mediation -> mediation.action = () -> {
            one.goes(one.mediators.getFirst());
            added.add(mediation.context.addRegion(0x1000, Optional.empty(), RegionInfo.absent(0)));
            refused.add(catchThrowable(() -> mediation.context.trap(true)));
            mediation.context.claim(List.of(Claim.whole(0)));
        });
        read32(device.port(), 0, 0x4000);
        assertThat(device.regionInfo(added.getFirst()).size()).isZero();
        assertThat(one.function.status().trapping()).isFalse();
        assertThat(refused).singleElement().isInstanceOf(VfioException.class);
        write32(device.port(), 0, 0x8000, 1);
        assertThat(one.function.stats().mediated()).isEqualTo(1);
        device.close();
    }

    @Test
    void isNotHeldByAnythingAfterwards() throws VfioException {
        WeakReference<Object> mediation = openAndGo();
        await("nothing holds the mediation", () -> {
            System.gc();
            return mediation.get() == null;
        });
        assertThat(one.function.status().clients()).hasSize(1);
        stays.close();
    }

    private WeakReference<Object> openAndGo() throws VfioException {
        AtomicReference<Object> made = new AtomicReference<>();
        Mediator mediator = one.accepting("faulty", context -> {
            AnsweringMediation mediation = new AnsweringMediation(Claim.of(0, 0x4000, 4)) {
                @Override
                public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
                    throw new IllegalStateException("bug");
                }
            };
            made.set(mediation);
            return mediation;
        });
        VfioDevice device = one.open();
        catchThrowable(() -> read32(device.port(), 0, 0x4000));
        one.goes(mediator);
        WeakReference<Object> reference = new WeakReference<>(made.get());
        made.set(null);
        stays = device;
        return reference;
    }
}
