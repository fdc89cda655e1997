// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.binding.Mediator;

/// Mediators that come while a device is opened.
@Timeout(60)
class NewcomersTest {
    private static final Claim REGISTER = Claim.of(0, 0x4000, 4);

    private final OneDevice one = new OneDevice();
    private final AtomicInteger searches = new AtomicInteger();

    @AfterEach
    void end() {
        one.close();
    }

    private Newcomers found(List<Mediator> mediators) {
        return () -> {
            searches.incrementAndGet();
            return mediators;
        };
    }

    private VfioDevice open(Newcomers newcomers) throws VfioException {
        return one.function.open(OneDevice.STANDARD, List.of(), one.settings, newcomers);
    }

    private Mediator accepting(String name) {
        return one.accepting(name, context -> new AnsweringMediation(REGISTER));
    }

    @Test
    void bindsOneThatCameBeforeTheClientHasTheDevice() throws VfioException {
        try (VfioDevice device = open(found(List.of(accepting("late"))))) {
            assertThat(one.function.status().mediator()).contains("late");
            try (VfioDevice second = open(found(List.of()))) {
                assertThat(searches).as("who opens it again looks for nobody").hasValue(1);
            }
        }
    }

    @Test
    void looksForNobodyWhenSomebodyTookIt() throws VfioException {
        Mediator present = accepting("present");
        try (VfioDevice device = one.function.open(OneDevice.STANDARD, List.of(present), one.settings, found(List.of()))) {
            assertThat(searches).hasValue(0);
        }
    }

    @Test
    void opensWithoutWhenNewcomersRefuse() throws VfioException {
        Mediator refusing = one.mediator("refusing", (function, context) -> Optional.empty());
        try (VfioDevice device = open(found(List.of(refusing)))) {
            assertThat(one.function.status().mediator()).isEmpty();
        }
        try (VfioDevice device = open(found(List.of(refusing)))) {
            assertThat(searches).as("each time it is opened anew").hasValue(2);
        }
    }

    @Test
    void secondOpenWaitsForTheFirstToFindOne() throws Exception {
        CountDownLatch searching = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        Mediator late = accepting("late");
        FutureTask<VfioDevice> first = new FutureTask<>(() -> open(() -> {
            searches.incrementAndGet();
            searching.countDown();
            awaitQuietly(release);
            return List.of(late);
        }));
        Thread opener = Thread.ofPlatform().start(first);
        assertThat(searching.await(30, TimeUnit.SECONDS)).isTrue();
        FutureTask<Optional<String>> second = new FutureTask<>(() -> {
            try (VfioDevice device = open(found(List.of()))) {
                return one.function.status().mediator();
            }
        });
        Thread waiting = Thread.ofPlatform().start(second);
        OneDevice.await("the second open waits", () -> waiting.getState() == Thread.State.WAITING);
        release.countDown();
        assertThat(second.get(30, TimeUnit.SECONDS)).contains("late");
        assertThat(searches).hasValue(1);
        opener.join();
        first.get().close();
    }

    @Test
    void functionThatGoesDoesNotWaitForASearch() throws Exception {
        Mediator late = accepting("late");
        try (VfioDevice device = open(() -> {
            one.function.gone("its function has gone");
            return List.of(late);
        })) {
            assertThat(one.function.status().mediator()).isEmpty();
            assertErrno(Errno.ENODEV, () -> open(Newcomers.NONE));
        }
    }

    @Test
    void refusesToOpenFromWithinTheSearch() throws VfioException {
        List<VfioException> refusals = new ArrayList<>();
        try (VfioDevice device = open(() -> {
            try {
                open(Newcomers.NONE).close();
            } catch (VfioException e) {
                refusals.add(e);
            }
            return List.of();
        })) {
            assertThat(refusals).extracting(VfioException::errno).containsExactly(Errno.EBUSY);
        }
    }

    @Test
    void saysWhenTheLastClientCloses() throws VfioException {
        AtomicInteger closed = new AtomicInteger();
        Newcomers newcomers = new Newcomers() {
            @Override
            public List<Mediator> find() {
                return List.of();
            }

            @Override
            public void closed() {
                closed.incrementAndGet();
            }
        };
        VfioDevice first = open(newcomers);
        open(newcomers).close();
        assertThat(closed).hasValue(0);
        first.close();
        assertThat(closed).hasValue(1);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            if (!latch.await(30, TimeUnit.SECONDS)) {
                throw new AssertionError("nobody released it");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
