// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.device.OneDevice.await;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.MediatorStack;

/// Layers come, go and change what they claim while threads are in the others.
@Timeout(60)
class StackUnderLoadTest {
    private static final Claim REGISTER = Claim.of(0, 0x5000, 4);
    private static final int THREADS = 2;
    private static final int TIMES = 60;

    private final OneDevice one = new OneDevice();
    private final AtomicLong written = new AtomicLong();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile boolean stop;

    @AfterEach
    void close() {
        one.close();
    }

    /// Counts writes, and passes them on or writes them below.
    private static final class Counting extends Mediation {
        final AtomicLong writes = new AtomicLong();
        final AtomicLong late = new AtomicLong();
        final MediationContext context;
        private final boolean below;
        private volatile boolean closed;

        Counting(MediationContext context, boolean below) {
            this.context = context;
            this.below = below;
        }

        @Override
        public List<Claim> claims() {
            return List.of(REGISTER);
        }

        @Override
        public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            writes.incrementAndGet();
            if (below) {
                context.writeBelow(region, offset, buffer, bufferOffset, count);
            }
            if (closed) {
                late.incrementAndGet();
            }
            return below ? Verdict.HANDLED : Verdict.PASS_THROUGH;
        }

        @Override
        public boolean stateless() {
            return true;
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    private AtomicReference<Counting> adding(String name, boolean below) {
        AtomicReference<Counting> made = new AtomicReference<>();
        one.mediator(name, (asked, context) -> {
            made.set(new Counting(context, below));
            return Optional.of(made.get());
        });
        return made;
    }

    private Mediator named(String name) {
        return one.mediators.stream().filter(mediator -> mediator.identity().name().equals(name)).findFirst().orElseThrow();
    }

    private Thread writer(VfioDevice handle) {
        return Thread.ofPlatform().daemon().start(() -> {
            MemorySegment buffer = Arena.ofAuto().allocate(ValueLayout.JAVA_INT);
            try (DevicePort port = handle.port()) {
                while (!stop) {
                    port.write(0, 0x5000, buffer, 0, 4);
                    written.incrementAndGet();
                }
            } catch (VfioException | RuntimeException e) {
                failure.compareAndSet(null, e);
            }
        });
    }

    private interface Disturbance {
        void once(int time) throws VfioException;
    }

    /// Accesses go on in threads while something is done again and again.
    private void underLoad(VfioDevice handle, Disturbance disturbance) throws VfioException, InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(writer(handle));
        }
        for (int time = 0; time < TIMES && failure.get() == null; time++) {
            long before = written.get();
            await("accesses go on", () -> written.get() > before + 10 || failure.get() != null);
            disturbance.once(time);
        }
        stop = true;
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failure).hasValue(null);
    }

    @Test
    void aMiddleLayerLeavesAndComesAndTheOthersSeeEveryAccessOnce() throws VfioException, InterruptedException {
        AtomicReference<Counting> bottom = adding("bottom", false);
        AtomicReference<Counting> top = adding("top", true);
        AtomicReference<Counting> middle = adding("middle", true);
        List<Counting> gone = new ArrayList<>();
        one.function.declare(new MediatorStack(List.of("top", "middle", "bottom")));
        try (VfioDevice handle = one.open()) {
            underLoad(handle, time -> {
                Counting going = middle.get();
                one.goes(named("middle"));
                long atLast = going.writes.get();
                gone.add(going);
                assertThat(one.function.status().mediator()).contains("top over bottom");
                one.mediator("middle", (asked, context) -> {
                    middle.set(new Counting(context, true));
                    return Optional.of(middle.get());
                });
                one.function.rebind(one.mediators);
                assertThat(going.writes.get()).as("nobody is inside when it has gone").isEqualTo(atLast);
            });
            assertThat(top.get().writes.get()).isEqualTo(written.get());
            assertThat(bottom.get().writes.get()).isEqualTo(written.get());
            assertThat(gone).allSatisfy(each -> assertThat(each.late).hasValue(0));
            assertThat(gone.stream().mapToLong(each -> each.writes.get()).sum()).isPositive().isLessThanOrEqualTo(written.get());
        }
    }

    @Test
    void aMiddleLayerChangesWhatItClaims() throws VfioException, InterruptedException {
        AtomicReference<Counting> bottom = adding("bottom", false);
        AtomicReference<Counting> middle = adding("middle", false);
        AtomicReference<Counting> top = adding("top", false);
        one.function.declare(new MediatorStack(List.of("top", "middle", "bottom")));
        try (VfioDevice handle = one.open()) {
            underLoad(handle, time -> middle.get().context.claim(time % 2 == 0 ? List.of() : List.of(REGISTER)));
            assertThat(top.get().writes.get()).isEqualTo(written.get());
            assertThat(bottom.get().writes.get()).isEqualTo(written.get());
            assertThat(middle.get().writes.get()).isBetween(1L, written.get());
        }
    }

    @Test
    void aLayerIsSwappedUnderAnother() throws VfioException, InterruptedException {
        AtomicReference<Counting> first = adding("one", false);
        AtomicReference<Counting> top = adding("top", true);
        AtomicLong lower = new AtomicLong();
        one.function.declare(new MediatorStack(List.of("top")));
        try (VfioDevice handle = one.open()) {
            AtomicReference<AtomicReference<Counting>> present = new AtomicReference<>(first);
            AtomicReference<String> name = new AtomicReference<>("one");
            underLoad(handle, time -> {
                String next = "next" + time;
                AtomicReference<Counting> made = adding(next, false);
                assertThat(MediatorSwap.eachAlone(List.of(one.function), named(name.get()), named(next)).getFirst().failure())
                    .isEmpty();
                lower.addAndGet(present.get().get().writes.get());
                present.set(made);
                name.set(next);
            });
            assertThat(top.get().writes.get()).isEqualTo(written.get());
            assertThat(lower.get() + present.get().get().writes.get()).as("each access is seen by one of them, once")
                .isEqualTo(written.get());
        }
    }
}
