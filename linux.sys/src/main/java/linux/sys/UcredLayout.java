// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/// `struct ucred` (sys/socket.h).
final class UcredLayout {
    static final StructLayout LAYOUT = MemoryLayout.structLayout(
            ValueLayout.JAVA_INT.withName("pid"),
            ValueLayout.JAVA_INT.withName("uid"),
            ValueLayout.JAVA_INT.withName("gid")).withName("ucred");

    static final long PID = LAYOUT.byteOffset(PathElement.groupElement("pid"));
    static final long UID = LAYOUT.byteOffset(PathElement.groupElement("uid"));
    static final long GID = LAYOUT.byteOffset(PathElement.groupElement("gid"));

    private UcredLayout() {
    }

    static PeerCredentials decode(MemorySegment ucred) {
        return new PeerCredentials(ucred.get(ValueLayout.JAVA_INT, PID),
                Integer.toUnsignedLong(ucred.get(ValueLayout.JAVA_INT, UID)),
                Integer.toUnsignedLong(ucred.get(ValueLayout.JAVA_INT, GID)));
    }
}
