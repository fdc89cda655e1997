// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/// `struct iovec` (sys/uio.h).
final class IovecLayout {
    static final StructLayout LAYOUT = MemoryLayout.structLayout(
            ValueLayout.JAVA_LONG.withName("iov_base"),
            ValueLayout.JAVA_LONG.withName("iov_len")).withName("iovec");

    static final long BASE = LAYOUT.byteOffset(PathElement.groupElement("iov_base"));
    static final long LEN = LAYOUT.byteOffset(PathElement.groupElement("iov_len"));
    static final long BYTES = LAYOUT.byteSize();

    private IovecLayout() {
    }
}
