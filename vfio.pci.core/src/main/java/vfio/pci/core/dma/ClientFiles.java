// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.util.HashMap;
import java.util.Map;
import linux.sys.Fd;
import linux.sys.FileIdentity;
import linux.sys.Memfd;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// The files behind the mappings of one device. A VMM with a virtual IOMMU sends the same file with each page: all mappings of a file share
/// one descriptor, and one mapping of it where that can be.
final class ClientFiles {
    private final MappedFiles limit;
    /// The lock is this object.
    private final Map<Key, SharedFile> files = new HashMap<>();

    /// @param keepsDescriptor whether the file stays open: to be read and written, or asked for its length
    record Key(FileIdentity identity, boolean keepsDescriptor) {
    }

    /// @param limit where they are counted
    ClientFiles(MappedFiles limit) {
        this.limit = limit;
    }

    /// Maps a part of a file, which is long enough.
    ///
    /// @param fd taken
    /// @throws VfioException ENOSPC when the process has too many; what the system answers
    synchronized FilePart map(OwnedFd fd, long offset, long size, boolean write) throws VfioException {
        return part(fd, false, file -> file.map(fd, offset, size, write));
    }

    /// Keeps a file open, to be read and written.
    ///
    /// @param fd taken
    /// @throws VfioException ENOSPC when the process has too many
    synchronized FilePart open(OwnedFd fd, long offset) throws VfioException {
        return part(fd, true, file -> file.open(offset));
    }

    /// Makes a part of a file.
    private interface Making {
        FilePart of(SharedFile file) throws VfioException;
    }

    private FilePart part(OwnedFd fd, boolean byFile, Making making) throws VfioException {
        SharedFile file = null;
        boolean made = false;
        try {
            boolean sealed = (Math.max(0, Memfd.seals(fd)) & Memfd.SEAL_SHRINK) != 0;
            Key key = new Key(Fd.identity(fd), byFile || !sealed);
            file = files.get(key);
            if (file == null) {
                limit.take();
                file = new SharedFile(key, fd, this, limit);
                files.put(key, file);
            }
            FilePart part = making.of(file);
            made = true;
            return part;
        } finally {
            if (file == null || !file.keeps(fd)) {
                fd.close();
            }
            if (!made && file != null) {
                file.closeIfUnused();
            }
        }
    }

    /// Nobody uses it any more; the lock is held.
    void forgetLocked(SharedFile file) {
        files.remove(file.key());
    }
}
