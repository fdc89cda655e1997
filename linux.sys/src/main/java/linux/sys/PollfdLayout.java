// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/// `struct pollfd` (poll.h).
final class PollfdLayout {
    static final StructLayout LAYOUT = MemoryLayout.structLayout(
            ValueLayout.JAVA_INT.withName("fd"),
            ValueLayout.JAVA_SHORT.withName("events"),
            ValueLayout.JAVA_SHORT.withName("revents")).withName("pollfd");

    static final long FD = LAYOUT.byteOffset(PathElement.groupElement("fd"));
    static final long EVENTS = LAYOUT.byteOffset(PathElement.groupElement("events"));
    static final long REVENTS = LAYOUT.byteOffset(PathElement.groupElement("revents"));

    private PollfdLayout() {
    }
}
