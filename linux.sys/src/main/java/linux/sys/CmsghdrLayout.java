// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/// `struct cmsghdr` (sys/socket.h) with its data behind it, and the one kind of control data in use: `SCM_RIGHTS`, an array of
/// descriptor numbers.
final class CmsghdrLayout {
    static final StructLayout LAYOUT = MemoryLayout.structLayout(
            ValueLayout.JAVA_LONG.withName("cmsg_len"),
            ValueLayout.JAVA_INT.withName("cmsg_level"),
            ValueLayout.JAVA_INT.withName("cmsg_type")).withName("cmsghdr");

    static final long LEN = LAYOUT.byteOffset(PathElement.groupElement("cmsg_len"));
    static final long LEVEL = LAYOUT.byteOffset(PathElement.groupElement("cmsg_level"));
    static final long TYPE = LAYOUT.byteOffset(PathElement.groupElement("cmsg_type"));
    /// `CMSG_DATA`: where the data begins.
    static final long DATA = LAYOUT.byteSize();

    static final int SOL_SOCKET = 1;
    static final int SCM_RIGHTS = 1;

    private CmsghdrLayout() {
    }

    /// `CMSG_LEN` of that many descriptors: header and data without padding.
    static long lengthFor(int descriptors) {
        return DATA + (long) descriptors * Integer.BYTES;
    }

    /// `CMSG_SPACE` of that many descriptors: the length with its padding.
    static long spaceFor(int descriptors) {
        return align(lengthFor(descriptors));
    }

    /// `CMSG_ALIGN`.
    static long align(long length) {
        return length + Long.BYTES - 1 & -Long.BYTES;
    }
}
