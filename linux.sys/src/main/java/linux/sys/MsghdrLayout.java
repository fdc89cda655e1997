// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/// `struct msghdr` (sys/socket.h), as the kernel has it on 64-bit machines.
final class MsghdrLayout {
    static final StructLayout LAYOUT = MemoryLayout.structLayout(
            ValueLayout.JAVA_LONG.withName("msg_name"),
            ValueLayout.JAVA_INT.withName("msg_namelen"),
            MemoryLayout.paddingLayout(4),
            ValueLayout.JAVA_LONG.withName("msg_iov"),
            ValueLayout.JAVA_LONG.withName("msg_iovlen"),
            ValueLayout.JAVA_LONG.withName("msg_control"),
            ValueLayout.JAVA_LONG.withName("msg_controllen"),
            ValueLayout.JAVA_INT.withName("msg_flags"),
            MemoryLayout.paddingLayout(4)).withName("msghdr");

    static final long IOV = LAYOUT.byteOffset(PathElement.groupElement("msg_iov"));
    static final long IOVLEN = LAYOUT.byteOffset(PathElement.groupElement("msg_iovlen"));
    static final long CONTROL = LAYOUT.byteOffset(PathElement.groupElement("msg_control"));
    static final long CONTROLLEN = LAYOUT.byteOffset(PathElement.groupElement("msg_controllen"));
    static final long FLAGS = LAYOUT.byteOffset(PathElement.groupElement("msg_flags"));
    static final long BYTES = LAYOUT.byteSize();

    private MsghdrLayout() {
    }
}
