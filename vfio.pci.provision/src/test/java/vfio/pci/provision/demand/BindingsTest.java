// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.demand;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BindingsTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final int ROUNDS = 20_000;

    private final Bindings bindings = new Bindings();

    @Test
    void takesNothingAwayWhileADeviceIsBeingBound() {
        bindings.begin(LONG);
        bindings.begin(LONG);
        bindings.end();
        assertThat(bindings.takeAway(() -> { })).isFalse();
        bindings.end();
        assertThat(bindings.takeAway(() -> { })).isTrue();
    }

    @Test
    void takesOneAwayAtATime() {
        boolean[] second = {true};
        assertThat(bindings.takeAway(() -> second[0] = bindings.takeAway(() -> { }))).isTrue();
        assertThat(second[0]).isFalse();
    }

    @Test
    void waitsNoLongerThanItMayForWhatIsTakenAway() throws Exception {
        var taking = new CountDownLatch(1);
        var taken = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newSingleThreadExecutor()) {
            Future<Boolean> away = threads.submit(() -> bindings.takeAway(() -> {
                taking.countDown();
                await(taken);
            }));
            taking.await();
            bindings.begin(Duration.ofMillis(20));
            assertThat(away.isDone()).isFalse();
            taken.countDown();
            assertThat(away.get()).isTrue();
        }
        assertThat(bindings.takeAway(() -> { })).as("the device is being bound still").isFalse();
        bindings.end();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void neverDoesBothAtOnce() throws Exception {
        var binding = new AtomicInteger();
        var taking = new AtomicInteger();
        var both = new AtomicInteger();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<?>> done = new ArrayList<>();
            for (int thread = 0; thread < 3; thread++) {
                done.add(threads.submit(() -> {
                    for (int round = 0; round < ROUNDS; round++) {
                        bindings.begin(LONG);
                        binding.incrementAndGet();
                        both.addAndGet(taking.get());
                        binding.decrementAndGet();
                        bindings.end();
                    }
                }));
            }
            done.add(threads.submit(() -> {
                for (int round = 0; round < ROUNDS; round++) {
                    bindings.takeAway(() -> {
                        taking.set(1);
                        both.addAndGet(binding.get());
                        taking.set(0);
                    });
                }
            }));
            for (Future<?> each : done) {
                each.get();
            }
        }
        assertThat(both).hasValue(0);
    }
}
