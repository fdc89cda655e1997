// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A thread that enters and one that empties the gate set off in the same instant, again and again: one of them has to see the other. Of a
/// gate whose barrier is taken away this finds a few late calls in a million, which is two seconds, where both have a processor.
@Timeout(60)
class GateRaceTest {
    private static final long BUDGET_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final int SKEW = 24;
    private static final int LOOK = 300;

    private final Gate<Thing> gate = new Gate<>();
    private final GateSlot slot = gate.slot();
    private volatile long started;
    private volatile long visited;
    private volatile boolean over;

    private static final class Thing extends Guarded {
        private volatile boolean closed;
    }

    private static void linger(SplittableRandom random) {
        for (int i = random.nextInt(SKEW); i > 0; i--) {
            Thread.onSpinWait();
        }
    }

    /// @return how often it was inside something that was closed
    private long visit() {
        SplittableRandom random = new SplittableRandom(1);
        long late = 0;
        for (long round = 1; ; round++) {
            while (started < round) {
                if (over) {
                    return late;
                }
                Thread.onSpinWait();
            }
            // So that what is current is at hand, and looked at well before the slot's new state is seen by others.
            gate.peek();
            linger(random);
            Thing thing = gate.enter(slot);
            boolean found = false;
            for (int i = 0; i < LOOK && thing != null && !found; i++) {
                found = thing.closed;
            }
            gate.leave(slot, 0);
            late += found ? 1 : 0;
            visited = round;
        }
    }

    private long stop() {
        SplittableRandom random = new SplittableRandom(2);
        long end = System.nanoTime() + BUDGET_NANOS;
        long round = 0;
        while (System.nanoTime() - end < 0) {
            Thing thing = new Thing();
            gate.set(thing);
            started = ++round;
            // So that the slot's next state is not seen by others as soon as it is set.
            slot.sequence();
            linger(random);
            gate.clear(thing);
            assertThat(gate.drain(thing, System.nanoTime() + TimeUnit.SECONDS.toNanos(30)).isEmpty()).isTrue();
            thing.closed = true;
            while (visited < round) {
                Thread.onSpinWait();
            }
        }
        return round;
    }

    @Test
    void oneSeesTheOther() throws InterruptedException {
        long[] late = new long[1];
        Thread visitor = Thread.ofPlatform().daemon().start(() -> late[0] = visit());
        long rounds = stop();
        over = true;
        visitor.join();
        assertThat(late[0]).as("late in %d rounds", rounds).isZero();
        assertThat(rounds).isPositive();
    }
}
