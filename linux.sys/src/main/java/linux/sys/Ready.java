// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.Objects;

/// The reports of one [Epoll#await], in memory that is made once. Belongs to the thread that waits.
public final class Ready {
    private final int capacity;
    private final MemorySegment events;
    private int count;

    /// Room for that many reports at a time; more wait for the next call.
    ///
    /// @throws IllegalArgumentException when it is not more than 0
    public Ready(int capacity) {
        if (capacity <= 0) {
            throw new IllegalArgumentException("capacity=" + capacity);
        }
        this.capacity = capacity;
        events = Arena.ofAuto().allocate(EpollEventLayout.LAYOUT, capacity);
    }

    int fill(int number, int timeoutMillis) {
        int result = Libc.call(Libc.EPOLL_WAIT, number, events.address(), capacity, timeoutMillis);
        Reference.reachabilityFence(this);
        count = Math.max(result, 0);
        return result == Libc.EINTR ? 0 : result;
    }

    /// What was given with the descriptor of that report. Hot.
    ///
    /// @throws IndexOutOfBoundsException when the last wait reported fewer
    public long data(int index) {
        Objects.checkIndex(index, count);
        return events.get(ValueLayout.JAVA_LONG_UNALIGNED, index * EpollEventLayout.BYTES + EpollEventLayout.DATA);
    }

    /// The events of that report, bits of [Epoll]. Hot.
    ///
    /// @throws IndexOutOfBoundsException when the last wait reported fewer
    public int events(int index) {
        Objects.checkIndex(index, count);
        return events.get(ValueLayout.JAVA_INT, index * EpollEventLayout.BYTES + EpollEventLayout.EVENTS);
    }
}
