// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.foreign.MemorySegment;
import linux.sys.Fd;
import linux.sys.Mapping;
import linux.sys.Memfd;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// Memory of a client that a server can map too: a memory file, sealed against a change of its size. Any thread.
public final class ClientMemory implements AutoCloseable {
    private final Fd file;
    private final Mapping mapping;

    private ClientMemory(Fd file, Mapping mapping) {
        this.file = file;
        this.mapping = mapping;
    }

    /// So many zeros.
    ///
    /// @param size bytes, whole pages
    /// @throws VfioException EMFILE or ENOMEM
    public static ClientMemory create(long size) throws VfioException {
        Fd file = Memfd.create("vfio-user-client", size, true);
        Mapping mapping = null;
        try {
            mapping = Mapping.of(file, 0, size, true, true);
            return new ClientMemory(file, mapping);
        } finally {
            if (mapping == null) {
                file.close();
            }
        }
    }

    /// The bytes.
    public MemorySegment memory() {
        return mapping.memory();
    }

    /// The file, which stays this object's.
    public OwnedFd file() {
        return file;
    }

    /// Unmaps and closes. The client that uses it is closed before, or has unmapped it.
    @Override
    public void close() {
        mapping.close();
        file.close();
    }
}
