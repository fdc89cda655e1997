// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;

/// Reads and writes of regions allocate nothing on the server's side.
class AllocationTest {
    private static final int MESSAGES = 20_000;
    /// On a busy machine many do not count.
    private static final int MOST_ROUNDS = 100;
    /// What a compiler thread's replacement of a frame or the like may cost once; a message that allocates costs 16 bytes each time.
    private static final long NOISE = 16_384;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Test
    void allocatesNothingPerMessage() throws VfioException {
        try (RawClient client = fixture.ready()) {
            long least = Long.MAX_VALUE;
            for (int round = 0; round < MOST_ROUNDS && least > NOISE; round++) {
                Map<Long, Long> before = allocatedByLoops();
                for (int i = 0; i < MESSAGES / 4; i++) {
                    client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4));
                    client.call(RawClient.REGION_WRITE, RawClient.access(8, 2, 8).u64(i));
                    client.post(RawClient.REGION_WRITE, RawClient.access(16, 2, 4).u32(i));
                    client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4096));
                }
                Map<Long, Long> after = allocatedByLoops();
                // Another thread may have taken over within the round.
                if (after.keySet().equals(before.keySet())) {
                    least = Math.min(least, sum(after) - sum(before));
                }
            }
            System.out.printf("allocated by the loop over %d messages: %d bytes%n", MESSAGES, least);
            assertThat(least).isBetween(0L, NOISE);
        }
    }

    private Map<Long, Long> allocatedByLoops() {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().matches("vfio-user-[0-9]+"))
            .collect(Collectors.toMap(Thread::threadId, thread -> threads.getThreadAllocatedBytes(thread.threadId())));
    }

    private static long sum(Map<Long, Long> allocated) {
        return allocated.values().stream().mapToLong(Long::longValue).sum();
    }
}
