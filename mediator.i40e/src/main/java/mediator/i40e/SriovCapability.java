// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.OptionalInt;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.BoundFunction;

/// Where the virtual functions of a physical one are, by its SR-IOV capability (Single Root I/O Virtualization and Sharing 1.1,
/// section 3.3).
///
/// @param enabled whether they are there
/// @param count how many
/// @param offset routing ids from the physical function to the first
/// @param stride routing ids from one to the next
record SriovCapability(boolean enabled, int count, int offset, int stride) {
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int EXTENDED_START = 0x100;
    private static final int ID = 0x0010;
    private static final int ID_MASK = 0xFFFF;
    private static final int NEXT_SHIFT = 20;
    private static final int NEXT_MASK = 0xFFC;
    private static final int HEADER = 4;
    private static final int CONTROL = 0x08;
    private static final int VF_ENABLE = 1;
    private static final int NUM_VFS = 0x10;
    private static final int FIRST_VF_OFFSET = 0x14;

    /// Reads the capability as it stands now.
    ///
    /// @return empty when the function has none
    /// @throws VfioException ENODEV when the function has gone
    static Optional<SriovCapability> read(BoundFunction function) throws VfioException {
        int at = EXTENDED_START;
        // As many headers as fit into config space: a list that loops ends too.
        for (int left = (function.configSize() - EXTENDED_START) / HEADER; left > 0 && at >= EXTENDED_START; left--) {
            int header = dword(function, at);
            if ((header & ID_MASK) == ID) {
                int placement = dword(function, at + FIRST_VF_OFFSET);
                return Optional.of(new SriovCapability((dword(function, at + CONTROL) & VF_ENABLE) != 0,
                    dword(function, at + NUM_VFS) & 0xFFFF, placement & 0xFFFF, placement >>> 16));
            }
            at = header >>> NEXT_SHIFT & NEXT_MASK;
        }
        return Optional.empty();
    }

    /// Whether a routing id is that of a virtual function, given that of the physical one. The sum carries into the bus number.
    boolean covers(int physicalRoutingId, int routingId) {
        return index(physicalRoutingId, routingId).isPresent();
    }

    /// Which virtual function has that routing id, from 0 on.
    OptionalInt index(int physicalRoutingId, int routingId) {
        int distance = routingId - physicalRoutingId - offset;
        if (!enabled || count == 0 || distance < 0) {
            return OptionalInt.empty();
        }
        if (stride == 0) {
            // With a single virtual function the stride means nothing and may be 0.
            return distance == 0 ? OptionalInt.of(0) : OptionalInt.empty();
        }
        return distance % stride == 0 && distance / stride < count ? OptionalInt.of(distance / stride) : OptionalInt.empty();
    }

    private static int dword(BoundFunction function, int offset) throws VfioException {
        MemorySegment buffer = MemorySegment.ofArray(new byte[Integer.BYTES]);
        function.readConfig(offset, buffer, 0, Integer.BYTES);
        return buffer.get(DWORD, 0);
    }
}
