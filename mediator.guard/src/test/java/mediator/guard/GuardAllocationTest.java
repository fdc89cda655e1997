// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionInfo;

/// Nothing is allocated per access, whatever a rule does with it.
@Timeout(60)
class GuardAllocationTest {
    private static final int ACCESSES = 50_000;
    private static final PciAddress ADDRESS = PciAddress.parse("00:02.0");

    private final GuardLog log = new GuardLog("test", () -> 0);
    private final AtomicLong clock = new AtomicLong();
    private final MemorySegment buffer = Arena.ofAuto().allocate(16);

    @AfterEach
    void endLog() {
        log.close();
    }

    private long bytesInWritesUnder(String rule) {
        GuardMediation guard = new GuardMediation(ADDRESS, new StubContext(new RegionInfo(0, 0x1000, Set.of(), List.of())), log, clock::get,
            _ -> { });
        guard.begin("guard", List.of(RuleSyntax.parse("1", rule)));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long self = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getThreadAllocatedBytes(self);
            for (int i = 0; i < ACCESSES; i++) {
                write(guard);
            }
            least = Math.min(least, threads.getThreadAllocatedBytes(self) - before);
        }
        assertThat(guard.uses().getFirst().matched()).isEqualTo(5L * ACCESSES);
        return least;
    }

    private void write(GuardMediation guard) {
        try {
            guard.write(0, 0x30, buffer, 0, 4);
        } catch (VfioException refused) {
            clock.incrementAndGet();
        }
    }

    private static void assertNothing(long bytes) {
        assertThat(bytes).as("bytes in %d accesses; the measuring itself takes some", ACCESSES).isLessThan(ACCESSES / 10);
    }

    @Test
    void whereARuleDenies() {
        assertNothing(bytesInWritesUnder("deny write bar0:0x30"));
        assertThat(clock).as("all were refused").hasValue(5L * ACCESSES);
    }

    @Test
    void whereARuleDeniesByValue() {
        assertNothing(bytesInWritesUnder("deny write bar0:0x30 value=!1-2 mask=0xff"));
        assertThat(clock).hasValue(5L * ACCESSES);
    }

    @Test
    void whereARuleLimits() {
        assertNothing(bytesInWritesUnder("limit write bar0:0x30 rate=1000000000 burst=1"));
        assertThat(clock.get()).as("some were refused").isPositive().isLessThan(5L * ACCESSES);
    }

    /// The line is made by the log's thread.
    @Test
    void whereARuleLogs() {
        assertNothing(bytesInWritesUnder("log write bar0:0x30"));
    }

    @Test
    void whereARulePasses() {
        assertNothing(bytesInWritesUnder("pass write bar0:0x30"));
    }
}
