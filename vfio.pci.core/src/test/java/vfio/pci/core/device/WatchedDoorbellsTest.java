// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.mediation.MediationContext;

/// Doorbells that a function takes out of memory, as the mediation that watches them learns of them.
@Timeout(60)
class WatchedDoorbellsTest {
    private static final Client TAKES_PART = new Client("takes part", EnumSet.of(Client.Feature.DISABLABLE_AREAS));

    private final OneDevice one = new OneDevice();
    private final AtomicReference<MediationContext> context = new AtomicReference<>();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final DoorbellTap keeping = (bar, offset, value) -> told.add("%d+0x%x=%d".formatted(bar, offset, value));

    @AfterEach
    void end() {
        one.close();
    }

    private VfioDevice open(Client client) throws VfioException {
        one.hardware.tells = true;
        mediator();
        return one.open(client);
    }

    private void mediator() {
        one.accepting("watching", offered -> {
            context.set(offered);
            return new AnsweringMediation();
        });
    }

    private void ring(int value) {
        one.hardware.ring(0, 0x2000, value);
    }

    @Test
    void tellsFromTheReturnUntilTheEnd() throws VfioException {
        VfioDevice device = open(OneDevice.STANDARD);
        ring(1);
        context.get().watchDoorbells(keeping);
        ring(2);
        ring(3);
        context.get().unwatchDoorbells();
        ring(4);
        context.get().unwatchDoorbells();
        context.get().watchDoorbells(keeping);
        ring(5);
        assertThat(told).containsExactly("0+0x2000=2", "0+0x2000=3", "0+0x2000=5");
        device.close();
    }

    @Test
    void tellsWhoeverSubscribedLast() throws VfioException {
        VfioDevice device = open(OneDevice.STANDARD);
        AtomicInteger before = new AtomicInteger();
        context.get().watchDoorbells((bar, offset, value) -> before.incrementAndGet());
        context.get().watchDoorbells(keeping);
        ring(6);
        assertThat(before).hasValue(0);
        assertThat(told).containsExactly("0+0x2000=6");
        device.close();
    }

    private void movable() {
        one.settings = OneDevice.drainingIn(Duration.ofSeconds(20));
        one.accepting("watching", offered -> {
            context.set(offered);
            return new MovingMediation(false);
        });
    }

    @Test
    void aFunctionThatIsBoundAfreshTellsAsTheOneBefore() throws VfioException {
        one.hardware.tells = true;
        movable();
        VfioDevice device = one.open();
        one.function.renew();
        assertThat(one.hardware.taps).as("nobody watches").hasValue(0);
        context.get().watchDoorbells(keeping);
        ring(1);
        one.function.renew();
        ring(2);
        context.get().unwatchDoorbells();
        one.function.renew();
        ring(3);
        assertThat(told).containsExactly("0+0x2000=1", "0+0x2000=2");
        device.close();
    }

    @Test
    void aFreshFunctionThatDoesNotTellFailsTheRenewal() throws VfioException {
        one.hardware.tells = true;
        movable();
        VfioDevice device = one.open();
        context.get().watchDoorbells(keeping);
        one.hardware.tells = false;
        assertErrno(Errno.EIO, one.function::renew);
        device.close();
    }

    /// What the function was about when somebody began to watch is over on return: it may not have told of it.
    @Test
    void hasTheFunctionComeOutOfWhatItIsAboutFirst() throws Exception {
        VfioDevice device = open(OneDevice.STANDARD);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch mayLeave = new CountDownLatch(1);
        context.get().watchDoorbells((bar, offset, value) -> {
            inside.countDown();
            awaitKeepingInterrupts(mayLeave);
        });
        FutureTask<Void> ringing = start("function", () -> ring(1));
        inside.await();
        FutureTask<Void> watching = start("watching", () -> watch(keeping));
        assertThat(catchThrowable(() -> watching.get(50, TimeUnit.MILLISECONDS))).as("not before").isNotNull();
        mayLeave.countDown();
        watching.get(10, TimeUnit.SECONDS);
        ringing.get(10, TimeUnit.SECONDS);
        ring(2);
        assertThat(told).containsExactly("0+0x2000=2");
        device.close();
    }

    private void watch(DoorbellTap subscriber) {
        try {
            context.get().watchDoorbells(subscriber);
        } catch (VfioException e) {
            throw new AssertionError(e);
        }
    }

    private static FutureTask<Void> start(String name, Runnable task) {
        FutureTask<Void> started = new FutureTask<>(task, null);
        Thread.ofPlatform().name(name).daemon().start(started);
        return started;
    }

    private static void awaitKeepingInterrupts(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void waitsForASubscriberWhenItsWatchEnds() throws Exception {
        VfioDevice device = open(OneDevice.STANDARD);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch mayLeave = new CountDownLatch(1);
        context.get().watchDoorbells((bar, offset, value) -> {
            inside.countDown();
            awaitKeepingInterrupts(mayLeave);
        });
        FutureTask<Void> ringing = start("function", () -> ring(1));
        inside.await();
        FutureTask<Void> unwatching = start("unwatching", () -> context.get().unwatchDoorbells());
        assertThat(catchThrowable(() -> unwatching.get(50, TimeUnit.MILLISECONDS))).as("somebody is inside").isNotNull();
        mayLeave.countDown();
        unwatching.get(10, TimeUnit.SECONDS);
        ringing.get(10, TimeUnit.SECONDS);
        device.close();
    }

    @Test
    void letsASubscriberEndItsOwnWatch() throws VfioException {
        VfioDevice device = open(OneDevice.STANDARD);
        context.get().watchDoorbells((bar, offset, value) -> {
            told.add("once");
            context.get().unwatchDoorbells();
        });
        long begin = System.nanoTime();
        ring(1);
        ring(2);
        assertThat(System.nanoTime() - begin).isLessThan(one.settings.drainTimeout().toNanos());
        assertThat(told).containsExactly("once");
        device.close();
    }

    @Test
    void endsWithTheMediation() throws VfioException {
        VfioDevice device = open(OneDevice.STANDARD);
        context.get().watchDoorbells(keeping);
        one.goes(one.mediators.getFirst());
        ring(1);
        assertThat(told).isEmpty();
        assertErrno(Errno.EOPNOTSUPP, () -> context.get().watchDoorbells(keeping));
        assertThatThrownBy(() -> context.get().unwatchDoorbells()).isInstanceOf(IllegalStateException.class);
        device.close();
        ring(2);
        assertThat(told).isEmpty();
    }

    @Test
    void endsWithAReset() throws VfioException {
        VfioDevice device = open(OneDevice.STANDARD);
        context.get().watchDoorbells(keeping);
        device.reset();
        ring(1);
        assertThat(told).isEmpty();
        context.get().watchDoorbells(keeping);
        ring(2);
        assertThat(told).containsExactly("0+0x2000=2");
        device.close();
    }

    @Test
    void refusesToWatchBeforeItIsBound() throws VfioException {
        one.hardware.tells = true;
        one.mediator("hasty", (asked, offered) -> {
            offered.watchDoorbells(keeping);
            return Optional.of(new AnsweringMediation());
        });
        VfioDevice device = one.open();
        assertThat(one.mediators.getFirst().status().failed()).isEqualTo(1);
        ring(1);
        assertThat(told).isEmpty();
        device.close();
    }

    @Test
    void countsBugsOfASubscriberAndUnbindsItAtLast() throws VfioException {
        VfioDevice device = open(OneDevice.STANDARD);
        AtomicInteger calls = new AtomicInteger();
        context.get().watchDoorbells((bar, offset, value) -> {
            calls.incrementAndGet();
            throw new IllegalStateException("a bug");
        });
        for (int i = 0; i < one.settings.mostFaults(); i++) {
            ring(i);
        }
        await("unbound", () -> one.function.status().mediator().isEmpty());
        ring(99);
        assertThat(calls).hasValue(one.settings.mostFaults());
        device.close();
    }

    @Test
    void allocatesNothing() throws VfioException {
        VfioDevice device = open(OneDevice.STANDARD);
        AtomicInteger calls = new AtomicInteger();
        context.get().watchDoorbells((bar, offset, value) -> calls.addAndGet(value));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long self = Thread.currentThread().threadId();
        DoorbellTap tap = one.hardware.tap();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getThreadAllocatedBytes(self);
            for (int i = 0; i < 50_000; i++) {
                tap.doorbell(0, 0x2000, 1);
            }
            least = Math.min(least, threads.getThreadAllocatedBytes(self) - before);
        }
        assertThat(least).as("bytes in 50000 doorbells; the measuring itself takes some").isLessThan(5_000);
        assertThat(calls).hasValue(250_000);
        device.close();
    }

    // ---- a subscriber that does not return

    private final CountDownLatch stuckInside = new CountDownLatch(1);
    private final CountDownLatch stuckMayLeave = new CountDownLatch(1);
    private final AtomicBoolean interruptedAfter = new AtomicBoolean(true);

    private FutureTask<Void> ringStuck() throws VfioException, InterruptedException {
        context.get().watchDoorbells((bar, offset, value) -> {
            stuckInside.countDown();
            awaitKeepingInterrupts(stuckMayLeave);
        });
        FutureTask<Void> ringing = start("function", () -> {
            ring(1);
            interruptedAfter.set(Thread.currentThread().isInterrupted());
        });
        stuckInside.await();
        return ringing;
    }

    private void letGo(FutureTask<Void> ringing) throws Exception {
        stuckMayLeave.countDown();
        ringing.get(10, TimeUnit.SECONDS);
        assertThat(interruptedAfter).as("the interrupt was for the mediation").isFalse();
    }

    @Test
    void givesUpAThreadOfTheFunctionThatStays() throws Exception {
        VfioDevice device = open(OneDevice.STANDARD);
        FutureTask<Void> ringing = ringStuck();
        one.goes(one.mediators.getFirst());
        assertThat(one.function.status().isolated()).isPresent();
        assertErrno(Errno.EIO, () -> read32(device.port(), 0, 0x8000));
        letGo(ringing);
        assertThat(one.function.status().isolated()).isEmpty();
        read32(device.port(), 0, 0x8000);
        device.close();
    }

    @Test
    void failsAResetThatAStuckSubscriberHoldsUp() throws Exception {
        VfioDevice device = open(OneDevice.STANDARD);
        FutureTask<Void> ringing = ringStuck();
        assertErrno(Errno.EIO, device::reset);
        assertThat(one.function.status().mediator()).isEmpty();
        letGo(ringing);
        device.reset();
        device.close();
    }

    @Test
    void closesADeviceThoughAThreadOfTheFunctionIsStuck() throws Exception {
        VfioDevice device = open(OneDevice.STANDARD);
        FutureTask<Void> ringing = ringStuck();
        device.close();
        assertThat(one.function.device()).isEmpty();
        assertErrno(Errno.EBUSY, one::open);
        letGo(ringing);
        await("given back", () -> one.hardware.driver().isEmpty());
        one.openAndClose();
    }

    // ---- a function that does not tell

    @Test
    void watchesByMessagesWhereNobodyMappedAnything() throws VfioException {
        mediator();
        VfioDevice device = one.open();
        context.get().watchDoorbells(keeping);
        assertThatThrownBy(() -> device.map(0, 0, 0x1000)).isInstanceOfSatisfying(VfioException.class, refused -> {
            assertThat(refused.errno()).isEqualTo(Errno.EBUSY);
            assertThat(refused).hasMessageContaining("standard").hasMessageContaining(device.address().toString());
        });
        assertThat(device.regionFile(0)).isEmpty();
        context.get().unwatchDoorbells();
        device.map(0, 0, 0x1000).close();
        device.close();
    }

    @Test
    void refusesWhereAClientThatTakesNoPartHasMapped() throws VfioException {
        mediator();
        VfioDevice device = one.open();
        RegionMap map = device.map(0, 0x1000, 0x1000);
        assertThatThrownBy(() -> context.get().watchDoorbells(keeping)).isInstanceOfSatisfying(VfioException.class, refused -> {
            assertThat(refused.errno()).isEqualTo(Errno.EOPNOTSUPP);
            assertThat(refused).hasMessageContaining("standard").hasMessageContaining(device.address().toString());
        });
        map.close();
        context.get().watchDoorbells(keeping);
        device.close();
    }

    @Test
    void refusesWhereAClientThatTakesNoPartHasTheFile() throws VfioException {
        mediator();
        VfioDevice device = one.open();
        assertThat(device.regionFile(0)).isPresent();
        assertErrno(Errno.EOPNOTSUPP, () -> context.get().watchDoorbells(keeping));
        device.map(0, 0, 0x1000).close();
        device.close();
    }

    @Test
    void watchesByMessagesWhereAllWhoMappedTakePart() throws VfioException {
        mediator();
        VfioDevice device = one.open(TAKES_PART);
        assertThat(device.regionFile(0)).isPresent();
        RegionMap map = device.map(0, 0, 0x1000);
        context.get().watchDoorbells(keeping);
        assertThat(one.hardware.taps).hasPositiveValue();
        map.close();
        device.close();
    }
}
