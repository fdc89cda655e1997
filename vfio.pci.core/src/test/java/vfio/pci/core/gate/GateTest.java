// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class GateTest extends TwoThreads {
    private final Gate<Visited> gate = new Gate<>();
    private final GateSlot mine = gate.slot();
    private final GateSlot theirs = gate.slot();
    private final Visited first = new Visited();
    private final Visited second = new Visited();

    private void otherEnters() throws Exception {
        other.does(() -> gate.enter(theirs));
    }

    private void otherLeaves() throws Exception {
        other.does(() -> {
            gate.leave(theirs, 0);
            return null;
        });
    }

    @Test
    void letsNobodyInWhereNothingIs() {
        assertThat(gate.enter(mine)).isNull();
        gate.leave(mine, 0);
    }

    @Test
    void letsNobodyIntoWhatWasCleared() {
        gate.set(first);
        gate.clear(first);
        assertThat(gate.enter(mine)).isNull();
        gate.leave(mine, 0);
        assertThat(gate.peek()).isNull();
    }

    @Test
    void keepsWhatIsCurrentWhenAnotherIsCleared() {
        gate.set(second);
        gate.clear(first);
        assertThat(gate.enter(mine)).isSameAs(second);
        gate.leave(mine, 0);
    }

    @Test
    void tellsWhoDidNotLeaveInTime() throws Exception {
        gate.set(first);
        otherEnters();
        gate.clear(first);
        List<Gate.Inside> left = gate.drain(first, soon());
        assertThat(left).singleElement().satisfies(inside -> {
            assertThat(inside.thread()).isSameAs(other.thread());
            assertThat(inside.still()).isTrue();
            assertThatThrownBy(() -> inside.onLeave(() -> { })).isInstanceOf(IllegalStateException.class);
        });
        otherLeaves();
        assertThat(left.getFirst().still()).isFalse();
        otherEnters();
        assertThat(left.getFirst().still()).as("a later visit is another").isFalse();
        otherLeaves();
    }

    @Test
    void waitsUntilThreadsHaveLeft() throws Exception {
        gate.set(first);
        otherEnters();
        gate.clear(first);
        FutureTask<List<Gate.Inside>> drained = new FutureTask<>(() -> gate.drain(first, later()));
        Thread draining = Thread.ofPlatform().start(drained);
        while (draining.getState() != Thread.State.TIMED_WAITING) {
            assertThat(drained.isDone()).isFalse();
            Thread.onSpinWait();
        }
        otherLeaves();
        assertThat(drained.get(30, TimeUnit.SECONDS)).isEmpty();
    }

    @Test
    void doesNotWaitForThreadsThatAreElsewhere() throws Exception {
        gate.set(first);
        otherEnters();
        gate.clear(first);
        gate.set(second);
        gate.clear(second);
        assertThat(gate.drain(second, later())).as("the other thread hangs in the first").isEmpty();
        otherLeaves();
    }

    @Test
    void doesNotWaitForThreadsThatFoundNothing() throws Exception {
        otherEnters();
        gate.set(first);
        gate.clear(first);
        assertThat(gate.drain(first, later())).isEmpty();
        otherLeaves();
    }

    @Test
    void countsNestedEntriesAsOneVisit() {
        gate.set(first);
        assertThat(gate.enter(mine)).isSameAs(first);
        assertThat(gate.enter(mine)).isSameAs(first);
        gate.leave(mine, 1);
        gate.clear(first);
        assertThat(gate.drain(first, later())).as("still inside by the outer entry").hasSize(1);
        gate.leave(mine, 0);
        assertThat(gate.drain(first, later())).isEmpty();
    }

    @Test
    void letsANestedEntryIntoNothingButWhatTheThreadIsIn() {
        gate.set(first);
        gate.enter(mine);
        gate.clear(first);
        gate.set(second);
        assertThat(gate.enter(mine)).as("nobody would wait for this thread in the second").isNull();
        gate.leave(mine, 1);
        gate.leave(mine, 0);
        assertThat(gate.enter(mine)).isSameAs(second);
        gate.leave(mine, 0);
    }

    @Test
    void letsANestedEntryIntoNothingWhenTheOuterFoundNothing() {
        assertThat(gate.enter(mine)).isNull();
        gate.set(first);
        assertThat(gate.enter(mine)).isNull();
        gate.leave(mine, 1);
        gate.leave(mine, 0);
    }

    @Test
    void isLeftByTheOutermostEvenIfTheInnerOnesWereLost() {
        gate.set(first);
        gate.enter(mine);
        gate.enter(mine);
        gate.enter(mine);
        gate.leave(mine, 0);
        gate.clear(first);
        assertThat(gate.drain(first, later())).isEmpty();
        assertThat(mine.depth()).isZero();
    }

    @Test
    void isLeftTwiceWithoutHarm() {
        gate.set(first);
        gate.enter(mine);
        gate.leave(mine, 0);
        gate.leave(mine, 0);
        gate.clear(first);
        assertThat(gate.drain(first, later())).isEmpty();
    }

    @Test
    void runsWhatWasLeftForItWhenTheThreadLeavesItself() {
        AtomicInteger finished = new AtomicInteger();
        gate.set(first);
        gate.enter(mine);
        gate.enter(mine);
        gate.clear(first);
        List<Gate.Inside> left = gate.drain(first, later());
        assertThat(left).singleElement().satisfies(inside -> assertThat(inside.thread()).isSameAs(Thread.currentThread()));
        left.getFirst().onLeave(finished::incrementAndGet);
        gate.leave(mine, 1);
        assertThat(finished).as("still inside").hasValue(0);
        gate.leave(mine, 0);
        assertThat(finished).hasValue(1);
        gate.enter(mine);
        gate.leave(mine, 0);
        assertThat(finished).as("once").hasValue(1);
    }

    @Test
    void waitsForAThreadWhoseSlotWasGivenUp() throws Exception {
        gate.set(first);
        otherEnters();
        gate.remove(theirs);
        gate.clear(first);
        assertThat(gate.drain(first, soon())).as("inside even so").hasSize(1);
        otherLeaves();
        assertThat(gate.drain(first, later())).isEmpty();
    }

    @Test
    void letsNobodyInByASlotThatWasGivenUp() throws Exception {
        gate.set(first);
        gate.remove(theirs);
        assertThat(other.does(() -> gate.enter(theirs))).isNull();
        otherLeaves();
    }
}
