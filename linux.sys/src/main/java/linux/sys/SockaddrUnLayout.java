// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.charset.Charset;
import java.nio.file.Path;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// `struct sockaddr_un` (sys/un.h).
final class SockaddrUnLayout {
    static final StructLayout LAYOUT = MemoryLayout.structLayout(
            ValueLayout.JAVA_SHORT.withName("sun_family"),
            MemoryLayout.sequenceLayout(108, ValueLayout.JAVA_BYTE).withName("sun_path")).withName("sockaddr_un");

    static final long FAMILY = LAYOUT.byteOffset(PathElement.groupElement("sun_family"));
    static final long PATH = LAYOUT.byteOffset(PathElement.groupElement("sun_path"));
    /// The last byte of `sun_path` is the terminating zero.
    static final int LONGEST_PATH = (int) LAYOUT.select(PathElement.groupElement("sun_path")).byteSize() - 1;

    static final short AF_UNIX = 1;

    /// The encoding in which the JDK hands names of files to the system.
    private static final Charset FILE_NAMES = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

    private SockaddrUnLayout() {
    }

    /// The address of that path.
    ///
    /// @throws VfioException EINVAL for a path that does not fit, or an empty one, which would be a name outside the file system
    static MemorySegment encode(Path path, Arena arena) throws VfioException {
        byte[] name = path.toString().getBytes(FILE_NAMES);
        if (name.length == 0 || name.length > LONGEST_PATH) {
            throw new VfioException(Errno.EINVAL, "call=socket-address length=0x" + Integer.toHexString(name.length)
                    + " expected=0x1..0x" + Integer.toHexString(LONGEST_PATH) + " path=" + path);
        }
        MemorySegment address = arena.allocate(LAYOUT);
        address.set(ValueLayout.JAVA_SHORT, FAMILY, AF_UNIX);
        MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, PATH, name.length);
        return address;
    }
}
