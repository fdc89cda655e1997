// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CallsTest extends TwoThreads {
    private final Calls calls = new Calls();

    private void otherLeaves() throws Exception {
        other.does(() -> {
            calls.leave();
            return null;
        });
    }

    @Test
    void letsNobodyInOnceShut() {
        calls.shut();
        assertThat(calls.enter()).isFalse();
        assertThat(calls.isShut()).isTrue();
        assertThat(calls.isInside(Thread.currentThread())).isFalse();
    }

    @Test
    void tellsWhoDidNotLeaveInTime() throws Exception {
        other.does(calls::enter);
        calls.shut();
        assertThat(calls.drain(soon())).containsExactly(other.thread());
        assertThat(calls.isInside(other.thread())).isTrue();
        otherLeaves();
        assertThat(calls.isInside(other.thread())).isFalse();
    }

    @Test
    void waitsUntilThreadsHaveLeft() throws Exception {
        other.does(calls::enter);
        calls.shut();
        FutureTask<List<Thread>> drained = new FutureTask<>(() -> calls.drain(later()));
        Thread draining = Thread.ofPlatform().start(drained);
        while (draining.getState() != Thread.State.TIMED_WAITING) {
            assertThat(drained.isDone()).isFalse();
            Thread.onSpinWait();
        }
        otherLeaves();
        assertThat(drained.get(30, TimeUnit.SECONDS)).isEmpty();
    }

    @Test
    void doesNotWaitForTheCallingThread() {
        calls.enter();
        calls.shut();
        assertThat(calls.drain(later())).isEmpty();
        calls.leave();
    }

    @Test
    void keepsAnInterruptForLater() throws Exception {
        other.does(calls::enter);
        Thread.currentThread().interrupt();
        assertThat(calls.drain(soon())).hasSize(1);
        assertThat(Thread.interrupted()).isTrue();
        otherLeaves();
    }

    @Test
    void interruptsOnlyWhoIsInside() throws Exception {
        calls.interrupt(Thread.currentThread());
        assertThat(Thread.interrupted()).isFalse();
        calls.enter();
        calls.interrupt(Thread.currentThread());
        assertThat(Thread.interrupted()).isTrue();
        calls.leave();
    }

    @Test
    void runsWhatWasLeftForItAtTheOutermostLeave() {
        AtomicInteger finished = new AtomicInteger();
        assertThat(calls.onLeave(finished::incrementAndGet)).as("not inside").isFalse();
        calls.enter();
        calls.enter();
        assertThat(calls.onLeave(finished::incrementAndGet)).isTrue();
        calls.leave();
        assertThat(finished).hasValue(0);
        assertThat(calls.isInside(Thread.currentThread())).isTrue();
        calls.leave();
        assertThat(finished).hasValue(1);
        calls.enter();
        calls.leave();
        assertThat(finished).as("once").hasValue(1);
    }
}
