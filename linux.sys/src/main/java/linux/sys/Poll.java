// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;

/// Waiting for one descriptor.
final class Poll {
    static final short IN = 0x1;
    static final short OUT = 0x4;

    private Poll() {
    }

    /// Waits until one of these events, an error or a hang-up is there: the events seen, 0 when the time ran out, or a negative
    /// errno. Hot: it allocates nothing.
    ///
    /// @param timeoutMillis 0 not to wait, -1 to wait without end
    static int await(int number, short events, int timeoutMillis) {
        MemorySegment memory = Libc.scratch();
        long at = Libc.scratchOffset();
        memory.set(ValueLayout.JAVA_INT, at + PollfdLayout.FD, number);
        memory.set(ValueLayout.JAVA_SHORT, at + PollfdLayout.EVENTS, events);
        memory.set(ValueLayout.JAVA_SHORT, at + PollfdLayout.REVENTS, (short) 0);
        int result = Libc.call(Libc.POLL, memory.address() + at, 1, timeoutMillis);
        int seen = memory.get(ValueLayout.JAVA_SHORT, at + PollfdLayout.REVENTS);
        Reference.reachabilityFence(memory);
        return result > 0 ? seen : result;
    }
}
