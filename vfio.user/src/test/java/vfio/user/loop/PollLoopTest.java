// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import linux.sys.Epoll;
import linux.sys.EventFd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

class PollLoopTest {
    private PollLoop loop;

    @BeforeEach
    void start() throws VfioException {
        loop = PollLoop.start("poll-loop-test");
    }

    @AfterEach
    void end() {
        loop.end(Duration.ofSeconds(20));
        assertThat(Thread.getAllStackTraces().keySet()).noneMatch(thread -> thread.getName().startsWith("poll-loop-test"));
        assertThat(loop.execute(() -> { })).isFalse();
    }

    @Test
    void closesASourceWhoseTurnFailsAndGoesOn() throws Exception {
        Counter failing = new Counter(() -> {
            throw new IllegalStateException("for the test");
        });
        Counter good = new Counter(() -> { });
        add(failing);
        add(good);
        failing.event.signal();
        assertThat(failing.closed.await(20, TimeUnit.SECONDS)).isTrue();
        good.awaitTurns(3);
        assertThat(failing.turns).hasValue(1);
    }

    @Test
    void goesOnAfterATaskThatFails() throws Exception {
        Counter good = new Counter(() -> { });
        add(good);
        loop.execute(() -> {
            throw new IllegalStateException("for the test");
        });
        good.awaitTurns(3);
    }

    @Test
    void closesASourceThatFailsAfterItWasOvertaken() throws Exception {
        Semaphore hang = new Semaphore(0);
        Counter failing = new Counter(() -> {
            hang.acquireUninterruptibly();
            throw new IllegalStateException("for the test");
        });
        Counter good = new Counter(() -> { });
        add(failing);
        add(good);
        failing.event.signal();
        good.awaitTurns(3);
        hang.release();
        assertThat(failing.closed.await(20, TimeUnit.SECONDS)).isTrue();
        good.awaitTurns(3);
    }

    @Test
    void givesATurnThatWasAskedForDuringAHangAfterwards() throws Exception {
        Semaphore hang = new Semaphore(0);
        Counter slow = new Counter(hang::acquireUninterruptibly);
        Counter good = new Counter(() -> { });
        add(slow);
        add(good);
        slow.event.signal();
        good.awaitTurns(1);
        loop.execute(() -> loop.resume(slow));
        good.awaitTurns(1);
        assertThat(slow.turns).as("never two at once").hasValue(1);
        hang.release(2);
        slow.awaitTurnCount(2);
    }

    @Test
    void givesNoSecondTurnToWhoWasResumedTwiceAndOvertakenInTheFirst() throws Exception {
        Semaphore hang = new Semaphore(0);
        Counter slow = new Counter(hang::acquireUninterruptibly);
        Counter good = new Counter(() -> { });
        add(slow);
        add(good);
        loop.execute(() -> {
            loop.resume(slow);
            loop.resume(slow);
        });
        slow.awaitTurnCount(1);
        good.awaitTurns(3);
        assertThat(slow.turns).as("never two at once").hasValue(1);
        hang.release(2);
        slow.awaitTurnCount(2);
    }

    @Test
    void runsTasksInOrderAndLater() throws Exception {
        StringBuilder order = new StringBuilder();
        CountDownLatch last = new CountDownLatch(1);
        loop.execute(() -> loop.schedule(Duration.ofMillis(40), last::countDown));
        loop.execute(() -> loop.schedule(Duration.ofMillis(20), () -> order.append('c')));
        loop.execute(() -> order.append('a'));
        loop.execute(() -> order.append('b'));
        assertThat(last.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(order).hasToString("abc");
    }

    @Test
    void forgetsWhatIsCancelled() throws Exception {
        AtomicInteger ran = new AtomicInteger();
        CountDownLatch last = new CountDownLatch(1);
        loop.execute(() -> {
            Timer kept = loop.schedule(Duration.ofMillis(5), ran::incrementAndGet);
            Timer forgotten = loop.schedule(Duration.ofMillis(5), () -> ran.addAndGet(100));
            loop.cancel(forgotten);
            loop.cancel(null);
            loop.schedule(Duration.ofMillis(20), () -> {
                loop.cancel(kept);
                last.countDown();
            });
        });
        assertThat(last.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(ran).hasValue(1);
    }

    @Test
    void closesWhatIsLeftWhenItEnds() throws Exception {
        Counter idle = new Counter(() -> { });
        Counter parked = new Counter(() -> { });
        add(idle);
        loop.execute(() -> loop.add(parked, Source.PARKED));
        assertThat(loop.end(Duration.ofSeconds(20))).isTrue();
        assertThat(idle.closed.getCount()).isZero();
        assertThat(parked.closed.getCount()).isZero();
    }

    @Test
    void saysThatAThreadDidNotComeAndClosesItsSourceWhenItDoes() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch hang = new CountDownLatch(1);
        Counter slow = new Counter(() -> {
            inside.countDown();
            try {
                hang.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        add(slow);
        slow.event.signal();
        inside.await();
        assertThat(loop.end(Duration.ofMillis(200))).isFalse();
        assertThat(slow.closed.await(20, TimeUnit.SECONDS)).as("it was interrupted").isTrue();
        assertThat(slow.turns).hasValue(1);
    }

    @Test
    void givesASourceThatAloneIsBusyAThreadOfItsOwn() throws Exception {
        Busy busy = new Busy();
        add(busy);
        busy.awaitAThreadOfItsOwn();
        Counter other = new Counter(() -> { });
        add(other);
        other.awaitTurns(3);
        // The first may still be on the thread that was waiting for it.
        busy.awaitTurns(2);
        assertThat(loopThread()).as("it is back in the loop").isEqualTo(busy.latest);
        other.awaitTurns(1);
    }

    @Test
    void takesASourceBackThatIsSilent() throws Exception {
        Busy busy = new Busy();
        add(busy);
        busy.awaitAThreadOfItsOwn();
        busy.patience.set(0);
        Thread was = busy.latest;
        assertThat(was.join(Duration.ofSeconds(20))).as("its thread ends").isTrue();
        busy.awaitTurns(1);
        assertThat(busy.latest).isEqualTo(loopThread());
    }

    @Test
    void closesASourceThatFailsOnAThreadOfItsOwn() throws Exception {
        Busy busy = new Busy();
        Counter good = new Counter(() -> { });
        add(good);
        add(busy);
        busy.awaitAThreadOfItsOwn();
        busy.fails = true;
        busy.event.signal();
        assertThat(busy.closed.await(20, TimeUnit.SECONDS)).isTrue();
        good.awaitTurns(3);
    }

    @Test
    void takesASourceOutThatHasAThreadOfItsOwn() throws Exception {
        Busy busy = new Busy();
        add(busy);
        busy.awaitAThreadOfItsOwn();
        loop.execute(() -> loop.remove(busy));
        assertThat(busy.closed.await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void endsWithASourceThatHasAThreadOfItsOwn() throws Exception {
        Busy busy = new Busy();
        add(busy);
        busy.awaitAThreadOfItsOwn();
        assertThat(loop.end(Duration.ofSeconds(20))).isTrue();
        assertThat(busy.closed.getCount()).isZero();
    }

    private Thread loopThread() throws Exception {
        CompletableFuture<Thread> its = new CompletableFuture<>();
        loop.execute(() -> its.complete(Thread.currentThread()));
        return its.get(20, TimeUnit.SECONDS);
    }

    /// Can wait for itself.
    private final class Busy extends Counter {
        /// How often it waits in vain.
        final AtomicInteger patience = new AtomicInteger(Integer.MAX_VALUE);
        volatile Thread latest;
        volatile boolean fails;

        Busy() throws VfioException {
            super(() -> { });
        }

        @Override
        protected boolean canAwait() {
            return true;
        }

        @Override
        protected boolean await(int interest) {
            try {
                return event.await(Duration.ofMillis(4)) || patience.getAndDecrement() > 0;
            } catch (VfioException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        protected int turn(int events) {
            latest = Thread.currentThread();
            if (fails) {
                throw new IllegalStateException("for the test");
            }
            return event.read() > 0 ? super.turn(events) : Epoll.IN;
        }

        void awaitAThreadOfItsOwn() throws Exception {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            do {
                assertThat(System.nanoTime()).isLessThan(deadline);
                awaitTurns(300);
            } while (latest == loopThread());
        }
    }

    private void add(Counter source) {
        loop.execute(() -> loop.add(source, Epoll.IN));
    }

    /// Counts its turns.
    private static class Counter extends Source {
        final EventFd event = EventFd.create();
        final AtomicInteger turns = new AtomicInteger();
        final CountDownLatch closed = new CountDownLatch(1);
        private final Runnable turn;

        Counter(Runnable turn) throws VfioException {
            this.turn = turn;
        }

        @Override
        protected OwnedFd fd() {
            return event.fd();
        }

        @Override
        protected int turn(int events) {
            event.read();
            turns.incrementAndGet();
            turn.run();
            return Epoll.IN;
        }

        @Override
        protected void closed() {
            event.close();
            closed.countDown();
        }

        /// Gives it so many turns, one after the other.
        void awaitTurns(int more) throws InterruptedException {
            for (int i = 0; i < more; i++) {
                int before = turns.get();
                event.signal();
                awaitTurnCount(before + 1);
            }
        }

        void awaitTurnCount(int count) throws InterruptedException {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (turns.get() < count) {
                if (System.nanoTime() - deadline >= 0) {
                    throw new AssertionError("turns=" + turns + " expected=" + count);
                }
                Thread.onSpinWait();
                TimeUnit.MICROSECONDS.sleep(100);
            }
        }
    }
}
