// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaSpace;

/// Reads descriptors and messages from guest memory into a place of its own: what is looked at is what was read, whatever the guest does
/// meanwhile. Guarded by its owner.
final class Descriptors {
    /// Bytes of a descriptor that receives, and of one of the mailbox.
    static final int BYTES = 32;
    /// Most bytes of a message.
    static final int MOST = 4096;

    private static final ValueLayout.OfShort WORD = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong QUAD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final DmaSpace memory;
    private final MemorySegment copy = MemorySegment.ofArray(new long[MOST / Long.BYTES]);

    Descriptors(DmaSpace memory) {
        this.memory = memory;
    }

    /// Reads bytes.
    ///
    /// @param count at most [#MOST]
    /// @throws VfioException as [DmaSpace#read]
    void read(long iova, int count) throws VfioException {
        memory.read(iova, copy, 0, count);
    }

    int word(int offset) {
        return Short.toUnsignedInt(copy.get(WORD, offset));
    }

    int dword(int offset) {
        return copy.get(DWORD, offset);
    }

    long quad(int offset) {
        return copy.get(QUAD, offset);
    }
}
