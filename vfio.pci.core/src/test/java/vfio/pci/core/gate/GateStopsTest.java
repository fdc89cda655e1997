// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Many stops under load: at each a thread is inside when it begins, and none may be inside after it. That this can fail is tested too, by
/// gates that let nobody in any more but do not wait for who is.
@Timeout(1800)
class GateStopsTest {
    private static final int STOPS = Boolean.getBoolean("vfio.nightly") ? 1_000_000 : 20_000;
    private static final int STOPS_OF_A_BROKEN_GATE = 500;
    private static final int VISITORS = 3;

    /// How threads get into what is current, and how it is stopped.
    private interface Entrance {
        void put(Visited thing);

        /// A visitor of one thread's own.
        Visitor visitor();

        /// When this returns nobody must be inside.
        void stop(Visited thing);
    }

    private interface Visitor {
        /// Visits what is current, if there is anything.
        ///
        /// @return whether it was found closed
        boolean visit();
    }

    private interface Stopper {
        void stop(Gate<Visited> gate, Visited thing);
    }

    private static void clearAndDrain(Gate<Visited> gate, Visited thing) {
        gate.clear(thing);
        assertThat(gate.drain(thing, System.nanoTime() + TimeUnit.SECONDS.toNanos(30))).isEmpty();
    }

    private static void shutAndDrain(Calls calls) {
        calls.shut();
        assertThat(calls.drain(System.nanoTime() + TimeUnit.SECONDS.toNanos(30))).isEmpty();
    }

    private record BySlot(Gate<Visited> gate, Stopper stopper) implements Entrance {
        @Override
        public void put(Visited thing) {
            gate.set(thing);
        }

        @Override
        public Visitor visitor() {
            GateSlot slot = gate.slot();
            return () -> {
                Visited thing = gate.enter(slot);
                try {
                    return thing != null && thing.visit();
                } finally {
                    gate.leave(slot, 0);
                }
            };
        }

        @Override
        public void stop(Visited thing) {
            stopper.stop(gate, thing);
        }
    }

    private static final class ByCount implements Entrance {
        private final Consumer<Calls> stopper;
        private volatile Visited current;

        ByCount(Consumer<Calls> stopper) {
            this.stopper = stopper;
        }

        @Override
        public void put(Visited thing) {
            current = thing;
        }

        @Override
        public Visitor visitor() {
            return () -> {
                Visited thing = current;
                if (thing == null || !thing.calls.enter()) {
                    return false;
                }
                try {
                    return thing.visit();
                } finally {
                    thing.calls.leave();
                }
            };
        }

        @Override
        public void stop(Visited thing) {
            stopper.accept(thing.calls);
        }
    }

    /// @return visits that found the thing closed
    private static long lateCalls(Entrance entrance, int stops) throws InterruptedException {
        LongAdder late = new LongAdder();
        List<Thread> visitors = new ArrayList<>();
        for (int i = 0; i < VISITORS; i++) {
            visitors.add(Thread.ofPlatform().daemon().start(() -> {
                Visitor visitor = entrance.visitor();
                while (!Thread.currentThread().isInterrupted()) {
                    late.add(visitor.visit() ? 1 : 0);
                }
            }));
        }
        for (int i = 0; i < stops; i++) {
            Visited thing = new Visited();
            entrance.put(thing);
            thing.awaitVisitor();
            thing.stopBegins();
            entrance.stop(thing);
            thing.close();
        }
        for (Thread visitor : visitors) {
            visitor.interrupt();
            visitor.join();
        }
        return late.sum();
    }

    @Test
    void letsNoCallBeLate() throws Exception {
        assertThat(lateCalls(new BySlot(new Gate<>(), GateStopsTest::clearAndDrain), STOPS)).isZero();
    }

    @Test
    void letsNoCountedCallBeLate() throws Exception {
        assertThat(lateCalls(new ByCount(GateStopsTest::shutAndDrain), STOPS)).isZero();
    }

    @Test
    void findsLateCallsInAGateThatDoesNotWait() throws Exception {
        assertThat(lateCalls(new BySlot(new Gate<>(), Gate::clear), STOPS_OF_A_BROKEN_GATE)).isPositive();
    }

    @Test
    void findsLateCallsInACountedGateThatDoesNotWait() throws Exception {
        assertThat(lateCalls(new ByCount(Calls::shut), STOPS_OF_A_BROKEN_GATE)).isPositive();
    }
}
