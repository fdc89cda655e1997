// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import linux.sys.Fd;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// A mapped file that its owner can cut short, kept open so that its length can be asked for: a page that is not in the file any more is
/// an error of the JVM, which may come late.
final class UnsealedFile {
    private final OwnedFd fd;
    private final long end;

    /// @param fd taken
    /// @param end of the mapping, in the file
    UnsealedFile(OwnedFd fd, long end) {
        this.fd = fd;
        this.end = end;
    }

    /// Whether all that was mapped is there.
    boolean isWhole() {
        try {
            return Fd.size(fd) >= end;
        } catch (VfioException e) {
            return false;
        }
    }

    void close() {
        fd.close();
    }
}
