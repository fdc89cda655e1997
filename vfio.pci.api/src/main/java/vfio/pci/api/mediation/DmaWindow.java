// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

/// Addresses at which a client lets the device reach memory.
///
/// @param iova unsigned 64-bit address the device uses; `iova + size` does not wrap
/// @param size bytes, positive
/// @param readable whether the device may read
/// @param writable whether the device may write
public record DmaWindow(long iova, long size, boolean readable, boolean writable) {
    /// Checks the limits above.
    public DmaWindow {
        if (size <= 0 || Long.compareUnsigned(iova, -size) > 0) {
            throw new IllegalArgumentException("iova=0x%x size=0x%x expected=a range that does not wrap".formatted(iova, size));
        }
    }

    /// The last address in it.
    public long last() {
        return iova + size - 1;
    }
}
