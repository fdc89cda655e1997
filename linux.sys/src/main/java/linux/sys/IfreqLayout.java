// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/// `struct ifreq` (linux/if.h), with its union as the flags that a TAP device's request has.
final class IfreqLayout {
    static final StructLayout LAYOUT = MemoryLayout.structLayout(
            MemoryLayout.sequenceLayout(16, ValueLayout.JAVA_BYTE).withName("ifr_name"),
            ValueLayout.JAVA_SHORT.withName("ifr_flags"),
            MemoryLayout.paddingLayout(22)).withName("ifreq");

    static final long NAME = LAYOUT.byteOffset(PathElement.groupElement("ifr_name"));
    static final long FLAGS = LAYOUT.byteOffset(PathElement.groupElement("ifr_flags"));
    /// The last byte of a name is the terminating zero.
    static final int LONGEST_NAME = 15;

    private IfreqLayout() {
    }
}
