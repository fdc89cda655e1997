// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.migration;

/// A range of I/O virtual addresses, which may end with the last address there is.
///
/// @param iova first address, unsigned
/// @param length bytes, unsigned, not 0; the range does not wrap
public record IovaRange(long iova, long length) {
    /// Checks the limits above.
    ///
    /// @throws IllegalArgumentException naming what is wrong
    public IovaRange {
        if (length == 0 || Long.compareUnsigned(iova, -length) > 0) {
            throw new IllegalArgumentException("iova=0x%x length=0x%x expected=a range that does not wrap".formatted(iova, length));
        }
    }

    /// The last address in it, unsigned.
    public long last() {
        return iova + length - 1;
    }

    /// Whether any address is in both.
    public boolean overlaps(IovaRange other) {
        return Long.compareUnsigned(iova, other.last()) <= 0 && Long.compareUnsigned(other.iova, last()) <= 0;
    }
}
