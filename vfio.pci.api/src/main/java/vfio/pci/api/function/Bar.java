// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.function;

import java.util.List;
import vfio.pci.api.Range;

/// A base address register and what is behind it.
///
/// @param index 0 to 5, or 6 for the expansion ROM
/// @param kind I/O or memory, and how wide the register is
/// @param prefetchable as the register says
/// @param size bytes, a power of two, at least 16 for memory and 4 for I/O
/// @param memoryLike the pages that behave as plain memory does, sorted, page aligned, apart: reads have no side effect and return what was
///     written last. Only these may ever be mapped by a client. Their content lives in the memory the driver lends
///     ([LentResources#barMemory(int)]); a client writes there unseen, so every word is hostile input: read once, validate the copy, and
///     decide whether there is work by comparing levels, never by seeing a change.
public record Bar(int index, Kind kind, boolean prefetchable, long size, List<Range> memoryLike) {
    /// Size and alignment of a page that can be mapped.
    public static final long PAGE_SIZE = 0x1000;

    /// Index of the expansion ROM.
    public static final int ROM = 6;

    /// What a BAR decodes.
    public enum Kind {
        /// I/O ports.
        IO,
        /// Memory below 4 GiB.
        MEMORY_32,
        /// Memory anywhere; takes the next BAR's register too.
        MEMORY_64
    }

    /// Checks the limits above and copies the list.
    public Bar {
        memoryLike = List.copyOf(memoryLike);
        if (index < 0 || index > ROM || kind == Kind.MEMORY_64 && index > 4) {
            throw new IllegalArgumentException("bar=%d kind=%s expected=index 0 to 6, 64-bit 0 to 4".formatted(index, kind));
        }
        if (Long.bitCount(size) != 1 || size < (kind == Kind.IO ? 4 : 16)) {
            throw new IllegalArgumentException("bar=%d size=0x%x expected=a power of two, at least 16 (I/O 4)".formatted(index, size));
        }
        long end = 0;
        for (Range range : memoryLike) {
            if (kind == Kind.IO || range.offset() < end || range.end() > size || (range.offset() | range.size()) % PAGE_SIZE != 0) {
                throw new IllegalArgumentException("bar=%d memoryLike=%s expected=sorted pages inside it".formatted(index, range));
            }
            end = range.end();
        }
    }
}
