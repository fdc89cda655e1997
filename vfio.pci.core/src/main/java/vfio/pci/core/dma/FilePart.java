// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.OwnedFd;

/// What one mapping has of a client's file.
interface FilePart {
    /// The memory, or null when the file is read and written.
    MemorySegment memory();

    /// The file, lent until the close; only where it is read and written.
    OwnedFd fd();

    /// Whether the first bytes of the part, so many of them, are in the file. One that is sealed is not asked.
    boolean holds(long bytes);

    /// Gives it back. Called once.
    void close();
}
