// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.VfioException;

/// The calls of the access path allocate nothing on the heap.
@Timeout(300)
class HotCallsTest {
    private static final int CALLS = 100_000;
    /// A compilation in the middle of a round may leave a few objects; a round that saw none must come soon.
    private static final int ROUNDS = 5;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(4096);

    @FunctionalInterface
    private interface Call {
        boolean succeeds();
    }

    private static long leastAllocatedBy(Call call) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        long successes = 0;
        for (int round = 0; round < ROUNDS && least > 0; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                if (call.succeeds()) {
                    successes++;
                }
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            assertThat(successes).as("calls that did what they should").isEqualTo((round + 1L) * CALLS);
        }
        return least;
    }

    @Test
    void measurementSeesAnAllocation() {
        Object[] kept = new Object[1];
        assertThat(leastAllocatedBy(() -> {
            kept[0] = new Object();
            return true;
        })).isGreaterThanOrEqualTo(8L * CALLS);
    }

    @Test
    void sendAndReceive() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        ReceivedFds fds = new ReceivedFds();
        try (UnixSocket near = pair[0]; UnixSocket far = pair[1]) {
            assertThat(leastAllocatedBy(() -> near.send(buffer, 0, 36, false) == 36
                    && far.receive(buffer, 1024, 2048, fds, true) == 36)).isZero();
            assertThat(leastAllocatedBy(() -> near.send2(buffer, 0, 16, buffer, 512, 64, false) == 80
                    && far.receive(buffer, 1024, 2048, fds, false) == 80)).isZero();
            assertThat(leastAllocatedBy(() -> far.receive(buffer, 1024, 2048, fds, false) == Libc.EAGAIN)).isZero();
        }
    }

    @Test
    void sendAndReceiveWithDescriptors() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        ReceivedFds fds = new ReceivedFds();
        try (UnixSocket near = pair[0]; UnixSocket far = pair[1]) {
            int[] numbers = {near.fd().number(), far.fd().number()};
            assertThat(leastAllocatedBy(() -> {
                boolean done = near.sendWithFds(buffer, 0, 36, numbers, 2, false) == 36
                        && far.receive(buffer, 1024, 2048, fds, false) == 36 && fds.count() == 2;
                fds.clear();
                return done;
            })).isZero();
        }
    }

    @Test
    void signalAndRead() throws VfioException {
        try (EventFd ours = EventFd.create(); EventFd theirs = EventFd.over(Fd.duplicate(ours.fd()))) {
            assertThat(leastAllocatedBy(() -> {
                ours.signal();
                theirs.signal();
                return ours.read() == 2 && theirs.read() == 0;
            })).isZero();
        }
    }

    @Test
    void waitForEvents() throws VfioException {
        Ready ready = new Ready(8);
        try (Epoll epoll = Epoll.create(); EventFd eventFd = EventFd.create()) {
            epoll.add(eventFd.fd(), Epoll.IN | Epoll.OUT, 42);
            eventFd.signal();
            assertThat(leastAllocatedBy(() -> epoll.await(ready, -1) == 1 && ready.data(0) == 42
                    && ready.events(0) == (Epoll.IN | Epoll.OUT))).isZero();
        }
    }
}
