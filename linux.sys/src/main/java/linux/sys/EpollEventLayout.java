// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/// `struct epoll_event` (sys/epoll.h). It is packed on x86-64, and only there.
final class EpollEventLayout {
    static final StructLayout LAYOUT = layoutFor(System.getProperty("os.arch"));

    static final long EVENTS = LAYOUT.byteOffset(PathElement.groupElement("events"));
    static final long DATA = LAYOUT.byteOffset(PathElement.groupElement("data"));
    static final long BYTES = LAYOUT.byteSize();

    private EpollEventLayout() {
    }

    static StructLayout layoutFor(String architecture) {
        boolean packed = architecture.equals("amd64") || architecture.equals("x86_64");
        StructLayout layout = packed
                ? MemoryLayout.structLayout(
                        ValueLayout.JAVA_INT.withName("events"),
                        ValueLayout.JAVA_LONG_UNALIGNED.withName("data"))
                : MemoryLayout.structLayout(
                        ValueLayout.JAVA_INT.withName("events"),
                        MemoryLayout.paddingLayout(4),
                        ValueLayout.JAVA_LONG.withName("data"));
        return layout.withName("epoll_event");
    }
}
