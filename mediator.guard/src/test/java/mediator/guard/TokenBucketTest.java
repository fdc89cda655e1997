// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import static org.assertj.core.api.Assertions.assertThat;

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

    private static long taken(TokenBucket bucket, int tries) {
        return IntStream.range(0, tries).filter(i -> bucket.take()).count();
    }
}
