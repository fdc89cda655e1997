// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.dma;

import java.util.Objects;

/// Pieces of device-visible memory, each with its place in a buffer, for a transfer of many at once. Made once and filled again and again.
/// Not thread-safe.
public final class DmaParts {
    private final long[] iovas;
    private final long[] offsets;
    private final int[] counts;
    private int size;

    /// None yet.
    ///
    /// @param capacity most parts
    public DmaParts(int capacity) {
        iovas = new long[capacity];
        offsets = new long[capacity];
        counts = new int[capacity];
    }

    /// Most parts.
    public int capacity() {
        return counts.length;
    }

    /// How many there are.
    public int size() {
        return size;
    }

    /// Forgets those from an index on.
    ///
    /// @param kept at most [#size()]
    public void truncate(int kept) {
        size = Objects.checkIndex(kept, size + 1);
    }

    /// Adds a part behind the others.
    ///
    /// @param iova unsigned 64-bit address
    /// @param offset in the buffer
    /// @param count bytes, at least 1
    /// @throws IndexOutOfBoundsException when there are [#capacity()] already
    public void add(long iova, long offset, int count) {
        counts[size] = count;
        iovas[size] = iova;
        offsets[size] = offset;
        size++;
    }

    /// Address of a part.
    public long iova(int part) {
        return iovas[part];
    }

    /// Where it is in the buffer.
    public long offset(int part) {
        return offsets[part];
    }

    /// Its bytes.
    public int count(int part) {
        return counts[part];
    }
}
