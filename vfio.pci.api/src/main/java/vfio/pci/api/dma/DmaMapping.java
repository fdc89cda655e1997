// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.dma;

import java.util.Objects;

/// One mapping a client makes.
///
/// @param iova unsigned 64-bit address the device uses; `iova + size` does not wrap
/// @param size bytes, positive
/// @param readable whether the device may read
/// @param writable whether the device may write
/// @param backing where the memory is
public record DmaMapping(long iova, long size, boolean readable, boolean writable, DmaBacking backing) {
    /// Checks the limits above.
    public DmaMapping {
        Objects.requireNonNull(backing, "backing");
        if (size <= 0 || Long.compareUnsigned(iova, -size) > 0) {
            throw new IllegalArgumentException("iova=0x%x size=0x%x expected=a range that does not wrap".formatted(iova, size));
        }
    }
}
