// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;

/// Bits that tell which pages a device wrote, within an answer.
final class DirtyBitmap {
    private DirtyBitmap() {
    }

    /// How many bytes the bits of a range take, in words of 64.
    ///
    /// @param most bytes there is room for
    /// @throws VfioException EINVAL for a page size that is none, and for more than that
    static int bytes(long length, long pageSize, long most) throws VfioException {
        if (Long.bitCount(pageSize) != 1) {
            throw Exchange.invalid("page_size", pageSize, "a power of two");
        }
        long pages = length >>> Long.numberOfTrailingZeros(pageSize);
        long words = (pages >>> 6) + ((pages & 63) == 0 ? 0 : 1);
        if (words > most / Long.BYTES) {
            throw Exchange.invalid("length", length, "a bitmap of at most max_data_xfer_size");
        }
        return (int) words * Long.BYTES;
    }

    /// Writes the bits of a range.
    ///
    /// @param bytes as [#bytes] says
    /// @throws VfioException as [Migration#reportDirty]
    static void write(Migration migration, long iova, long length, long pageSize, MemorySegment reply, long at, int bytes)
            throws VfioException {
        reply.asSlice(at, bytes).fill((byte) 0);
        migration.reportDirty(iova, length, pageSize, reply, at);
    }
}
