// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

import java.util.Objects;

/// Who provides the memory of a map.
public sealed interface MapVerdict {
    /// The device, as if there were no mediation.
    MapVerdict PASS_THROUGH = new PassThrough();

    /// The device's own memory.
    record PassThrough() implements MapVerdict {
    }

    /// Memory of the mediation's. Only for maps within this process: another process gets one file per region.
    ///
    /// @param memory shared memory of the same device
    /// @param offset of the first byte in it, page aligned
    record Provided(SharedMemory memory, long offset) implements MapVerdict {
        /// Checks that there is memory.
        public Provided {
            Objects.requireNonNull(memory, "memory");
        }
    }
}
