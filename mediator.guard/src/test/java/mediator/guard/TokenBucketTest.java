// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenBucketTest {
    private static final long MILLISECOND = 1_000_000;

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE - MILLISECOND, Long.MIN_VALUE})
    void givesABurstAndThenItsRate(long start) {
        AtomicLong clock = new AtomicLong(start);
        TokenBucket bucket = new TokenBucket(1000, 3, clock::get);
        assertThat(taken(bucket, 5)).isEqualTo(3);
        clock.addAndGet(MILLISECOND - 1);
        assertThat(taken(bucket, 2)).isZero();
        clock.addAndGet(1);
        assertThat(taken(bucket, 2)).isEqualTo(1);
        clock.addAndGet(100 * MILLISECOND);
        assertThat(taken(bucket, 10)).as("no more than it holds").isEqualTo(3);
    }

    @Test
    void givesAsManyToManyThreads() {
        TokenBucket bucket = new TokenBucket(1, 100, () -> 0);
        long taken = IntStream.range(0, 10_000).parallel().filter(i -> bucket.take()).count();
        assertThat(taken).isEqualTo(100);
    }

    /// Eight threads that never tire, and a clock that moves when they are told to stop for it: no token more, and none less.
    @Test
    void givesExactlyItsRateToThreadsAtOnce() throws Exception {
        AtomicLong clock = new AtomicLong();
        TokenBucket bucket = new TokenBucket(1000, 50, clock::get);
        for (int window = 0; window < 100; window++) {
            long expected = window == 0 ? 50 : window % 60;
            if (window > 0) {
                clock.addAndGet(expected * MILLISECOND);
            }
            assertThat(takenByEightThreads(bucket)).as("window %d", window).isEqualTo(Math.min(expected, 50));
        }
    }

    private static long takenByEightThreads(TokenBucket bucket) throws InterruptedException {
        CyclicBarrier begin = new CyclicBarrier(8);
        AtomicLong taken = new AtomicLong();
        List<Thread> threads = IntStream.range(0, 8).mapToObj(_ -> Thread.ofPlatform().start(() -> {
            awaitAll(begin);
            taken.addAndGet(taken(bucket, 100));
        })).toList();
        for (Thread thread : threads) {
            thread.join();
        }
        return taken.get();
    }

    private static void awaitAll(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new AssertionError(e);
        }
    }

    private static long taken(TokenBucket bucket, int tries) {
        return IntStream.range(0, tries).filter(i -> bucket.take()).count();
    }
}
