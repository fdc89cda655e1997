// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import linux.sys.Fd;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// A mapped file that its owner can cut short, kept open so that its length can be asked for: a page that is not in the file any more is
/// an error of the JVM, which may come late.
final class UnsealedFile {
    private final OwnedFd fd;
    private final long offset;

    /// @param fd taken
    /// @param offset of the mapping, in the file
    UnsealedFile(OwnedFd fd, long offset) {
        this.fd = fd;
        this.offset = offset;
    }

    /// Whether the first bytes of the mapping, so many of them, are there.
    boolean holds(long bytes) {
        try {
            return Fd.size(fd) - offset >= bytes;
        } catch (VfioException e) {
            return false;
        }
    }

    void close() {
        fd.close();
    }
}
