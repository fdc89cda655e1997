// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import static org.assertj.core.api.Assertions.assertThat;

import device.sim.function.MessageInterrupts;
import device.sim.xl710.engine.Task;
import org.junit.jupiter.api.Test;
import vfio.pci.api.function.InterruptKind;

/// By a clock that stands still until it is set. Nobody takes messages here, so that each leaves its pending bit.
class VfModerationTest {
    private static final int RX = 1;
    private static final int TX = 2;
    private static final int NO_INDEX = 1 << 3;
    /// INTENA, with no interval.
    private static final int ENABLE = 0x19;
    private static final int SOFTWARE = ENABLE | 4;
    private static final int SOFTWARE_BY_INDEX_0 = 0x0100_001D;
    private static final int ADMINQ = 0x4000_0000;

    private final MessageInterrupts messages = new MessageInterrupts(InterruptKind.MSIX, 5);
    private final int[][] intervals = new int[17][3];
    private int indexOfOthers;
    private long now = Long.MAX_VALUE - 20_000;
    private int deferrals;

    private final VfInterrupts interrupts = new VfInterrupts(messages, 17, new VfThrottling() {
        @Override
        public int interval(int vector, int index) {
            return intervals[vector][index];
        }

        @Override
        public void interval(int vector, int index, int interval) {
            intervals[vector][index] = interval;
        }

        @Override
        public int indexOfOthers() {
            return indexOfOthers;
        }
    }, () -> now, () -> deferrals++);

    private boolean sent(int vector) {
        boolean there = (messages.pendingBits(0) & 1 << vector) != 0;
        messages.clear(vector);
        return there;
    }

    /// As the engine does when time has passed.
    private void pass(long nanos) {
        now += nanos;
        if (interrupts.due()) {
            interrupts.evaluateAll();
        }
    }

    /// A vector that has just sent, and is enabled again.
    private void justSent(int vector) {
        interrupts.writeControl(vector, SOFTWARE);
        assertThat(sent(vector)).isTrue();
        interrupts.writeControl(vector, ENABLE);
    }

    @Test
    void sendsTheFirstAtOnce() {
        intervals[1][0] = 25;
        interrupts.writeControl(1, ENABLE);
        interrupts.event(1, RX);
        assertThat(sent(1)).isTrue();
        assertThat(interrupts.waitNanos()).isEqualTo(Task.FOREVER);
    }

    @Test
    void sendsWhatComesWithinAnIntervalOnceAtItsEnd() {
        intervals[1][0] = 25;
        justSent(1);
        pass(10_000);
        interrupts.event(1, RX);
        interrupts.event(1, RX);
        assertThat(sent(1)).isFalse();
        assertThat(interrupts.waitNanos()).isEqualTo(40_000);
        assertThat(deferrals).as("the engine is told once").isEqualTo(1);
        pass(39_999);
        assertThat(sent(1)).isFalse();
        pass(1);
        assertThat(sent(1)).isTrue();
        interrupts.writeControl(1, ENABLE);
        pass(1_000_000);
        assertThat(sent(1)).as("a second time").isFalse();
        assertThat(interrupts.waitNanos()).isEqualTo(Task.FOREVER);
    }

    @Test
    void sendsAtOnceWhenTheIntervalIsOver() {
        intervals[1][0] = 25;
        justSent(1);
        pass(50_000);
        interrupts.event(1, RX);
        assertThat(sent(1)).isTrue();
    }

    @Test
    void sends20000ASecondAt50Microseconds() {
        intervals[1][0] = 25;
        interrupts.writeControl(1, ENABLE);
        int sent = 0;
        for (int i = 0; i < 1_000_000; i++) {
            pass(1_000);
            interrupts.event(1, RX);
            if (sent(1)) {
                sent++;
                interrupts.writeControl(1, ENABLE);
            }
        }
        assertThat(sent).isEqualTo(20_000);
    }

    @Test
    void takesTheEarliestOfTheIndicesThatArePending() {
        intervals[1][0] = 100;
        intervals[1][1] = 25;
        justSent(1);
        interrupts.event(1, RX);
        assertThat(interrupts.waitNanos()).isEqualTo(200_000);
        interrupts.event(1, TX);
        assertThat(interrupts.waitNanos()).isEqualTo(50_000);
        pass(50_000);
        assertThat(sent(1)).isTrue();
        interrupts.writeControl(1, ENABLE);
        pass(200_000);
        assertThat(sent(1)).as("both were told").isFalse();
    }

    @Test
    void holdsNothingBackThatHasNoIndex() {
        intervals[1][0] = 25;
        justSent(1);
        interrupts.event(1, NO_INDEX);
        assertThat(sent(1)).isTrue();
    }

    @Test
    void keepsTheVectorsApart() {
        intervals[1][0] = 4095;
        justSent(1);
        interrupts.event(1, RX);
        interrupts.writeControl(2, ENABLE);
        interrupts.event(2, RX);
        assertThat(sent(2)).isTrue();
        assertThat(sent(1)).isFalse();
    }

    @Test
    void waitsForTheIntervalAsItIsWhenItEnds() {
        intervals[1][0] = 25;
        justSent(1);
        interrupts.event(1, RX);
        intervals[1][0] = 50;
        pass(50_000);
        assertThat(sent(1)).isFalse();
        assertThat(interrupts.waitNanos()).isEqualTo(50_000);
        intervals[1][0] = 0;
        interrupts.writeControl(1, ENABLE);
        assertThat(sent(1)).as("a driver that writes a shorter one with the enable").isTrue();
    }

    @Test
    void sendsNothingAtTheEndOfAnIntervalWhileDisabled() {
        intervals[1][0] = 25;
        justSent(1);
        interrupts.event(1, RX);
        interrupts.writeControl(1, 0x18);
        pass(50_000);
        assertThat(sent(1)).isFalse();
        interrupts.writeControl(1, ENABLE);
        assertThat(sent(1)).isTrue();
    }

    @Test
    void forgetsWhatWaitsOnClearPba() {
        intervals[1][0] = 25;
        justSent(1);
        interrupts.event(1, RX);
        interrupts.writeControl(1, ENABLE | 2);
        pass(1_000_000);
        assertThat(sent(1)).isFalse();
    }

    @Test
    void throttlesASoftwareInterruptByTheIndexWrittenWithIt() {
        intervals[1][0] = 25;
        justSent(1);
        interrupts.writeControl(1, SOFTWARE_BY_INDEX_0);
        assertThat(sent(1)).isFalse();
        pass(50_000);
        assertThat(sent(1)).isTrue();
    }

    @Test
    void sendsASoftwareInterruptWithoutAnIndexAtOnce() {
        intervals[1][0] = 25;
        justSent(1);
        interrupts.writeControl(1, SOFTWARE);
        assertThat(sent(1)).isTrue();
    }

    @Test
    void throttlesTheMailboxByTheIndexOfOthers() {
        intervals[0][2] = 25;
        indexOfOthers = 2;
        interrupts.writeEnabledCauses(ADMINQ);
        justSent(0);
        interrupts.cause(ADMINQ);
        assertThat(sent(0)).isFalse();
        pass(50_000);
        assertThat(sent(0)).isTrue();
        interrupts.takeCauses();
        indexOfOthers = 3;
        interrupts.writeControl(0, ENABLE);
        interrupts.cause(ADMINQ);
        assertThat(sent(0)).isTrue();
    }

    @Test
    void forgetsWhatWaitsOnReset() {
        intervals[1][0] = 25;
        justSent(1);
        interrupts.event(1, RX);
        interrupts.reset();
        assertThat(interrupts.waitNanos()).isEqualTo(Task.FOREVER);
        interrupts.writeControl(1, ENABLE);
        pass(1_000_000);
        assertThat(sent(1)).isFalse();
        interrupts.event(1, RX);
        assertThat(sent(1)).as("as the first ever").isTrue();
    }

    @Test
    void sendsAtOnceOnAnotherFunctionWhatWaitedOnThisOne() {
        intervals[1][0] = 4095;
        justSent(1);
        interrupts.event(1, RX);
        assertThat(interrupts.pending(1)).isTrue();
        interrupts.restore(1, interrupts.control(1), interrupts.pending(1));
        interrupts.evaluateAll();
        assertThat(sent(1)).isTrue();
    }
}
