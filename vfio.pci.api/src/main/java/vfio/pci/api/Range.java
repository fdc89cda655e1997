// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api;

/// A range of bytes, in whatever space the holder says.
///
/// @param offset first byte, not negative
/// @param size bytes, positive; `offset + size` does not overflow
public record Range(long offset, long size) implements Comparable<Range> {
    /// Checks the limits above.
    public Range {
        if (offset < 0 || size <= 0 || offset > Long.MAX_VALUE - size) {
            throw new IllegalArgumentException("offset=0x%x size=0x%x expected=a non-empty range".formatted(offset, size));
        }
    }

    /// One past the last byte.
    public long end() {
        return offset + size;
    }

    /// Whether any byte of `[offset, offset + count)` is in this range. The arguments need not be in bounds.
    public boolean overlaps(long otherOffset, long count) {
        return otherOffset < end() && otherOffset > offset - count;
    }

    /// Whether `[offset, offset + count)` lies wholly in this range.
    public boolean contains(long otherOffset, long count) {
        return otherOffset >= offset && count <= size && otherOffset - offset <= size - count;
    }

    @Override
    public int compareTo(Range other) {
        int byOffset = Long.compare(offset, other.offset);
        return byOffset != 0 ? byOffset : Long.compare(size, other.size);
    }
}
