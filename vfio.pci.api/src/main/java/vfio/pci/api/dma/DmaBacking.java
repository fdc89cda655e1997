// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.dma;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.OwnedFd;

/// Where a client's memory is.
public sealed interface DmaBacking {
    /// A file both sides can map.
    ///
    /// @param fd taken by whoever gets the mapping
    /// @param offset of the first byte in the file, page aligned
    record File(OwnedFd fd, long offset) implements DmaBacking {
    }

    /// A file that is read and written, not mapped: slower, and what its owner does to the file cannot hurt whoever reads it.
    ///
    /// @param fd taken by whoever gets the mapping
    /// @param offset of the first byte in the file
    record FileIo(OwnedFd fd, long offset) implements DmaBacking {
    }

    /// Memory that is reached by asking its owner.
    ///
    /// @param memory taken by whoever gets the mapping
    record Remote(RemoteMemory memory) implements DmaBacking {
    }

    /// Memory of this process, for clients that live in it; as long as the mapping, alive until it is unmapped.
    ///
    /// @param memory accessible from every thread
    record Segment(MemorySegment memory) implements DmaBacking {
    }

    /// Memory the client named but gave no way to reach. It is recorded, so that it can be unmapped; a device that goes there faults.
    record Unreachable() implements DmaBacking {
    }
}
