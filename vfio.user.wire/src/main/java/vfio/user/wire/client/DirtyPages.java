// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.stream.LongStream;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.IovaRange;

/// Pages the device has written.
///
/// @param range that was asked for
/// @param pageSize bytes a bit stands for
/// @param pages bit i: page i of the range; not to be changed
public record DirtyPages(IovaRange range, long pageSize, BitSet pages) {
    /// Bytes of a bitmap for that range, in words of 64 bits.
    ///
    /// @throws VfioException EINVAL for a page size that is no power of two, and for more than `most`
    static int bytes(IovaRange range, long pageSize, int most) throws VfioException {
        if (Long.bitCount(pageSize) != 1) {
            throw new VfioException(Errno.EINVAL, "page_size=0x%x expected=a power of two".formatted(pageSize));
        }
        long words = (count(range, pageSize) - 1 >>> 6) + 1;
        if (words > most / Long.BYTES) {
            throw new VfioException(Errno.EINVAL, "length=0x%x page_size=0x%x expected=at most 0x%x bytes of bits".formatted(range.length(),
                pageSize, most));
        }
        return (int) words * Long.BYTES;
    }

    /// Unsigned on both sides, and at least 1: a range is not empty.
    private static long count(IovaRange range, long pageSize) {
        return Long.divideUnsigned(range.length() - 1, pageSize) + 1;
    }

    /// @throws VfioException EPROTO for a bit outside of the range
    static DirtyPages decode(IovaRange range, long pageSize, MemorySegment bitmap) throws VfioException {
        BitSet pages = BitSet.valueOf(bitmap.toArray(ValueLayout.JAVA_BYTE));
        if (pages.length() > count(range, pageSize)) {
            throw new VfioException(Errno.EPROTO, "page=0x%x expected=at most 0x%x pages".formatted(pages.length() - 1L,
                count(range, pageSize)));
        }
        return new DirtyPages(range, pageSize, pages);
    }

    /// How many there are.
    public int count() {
        return pages.cardinality();
    }

    /// Where each begins, ascending.
    public LongStream addresses() {
        return pages.stream().mapToLong(page -> range.iova() + page * pageSize);
    }
}
