// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import vfio.user.wire.Command;
import vfio.user.wire.HostOrder;
import vfio.user.wire.RegionAccessLayout;

/// The answer to a region access that failed, for clients that do not look at the error flag and would take the next message for the data:
/// success, and all bits set as on a bus where nobody answers.
public final class LenientAnswer {
    /// There is none: the error is to be told.
    public static final int NONE = -1;

    private static final byte ALL_ONES = (byte) 0xFF;

    private LenientAnswer() {
    }

    /// Whether such a client goes on reading after the header that is an error's answer, and would wait for ever: it is to see the end of
    /// file instead. What else it asks is answered by a header anyway, or read in one receive (DEVICE_GET_REGION_INFO).
    public static boolean waitsForMore(int command) {
        return command == Command.VERSION.code() || command == Command.DMA_UNMAP.code() || command == Command.DEVICE_GET_INFO.code()
            || command == Command.DEVICE_GET_IRQ_INFO.code();
    }

    /// Writes it.
    ///
    /// @param request where the request's payload is, from `payload`, `size` bytes of it
    /// @param reply where the answer's payload goes, from `replyPayload`
    /// @return bytes of the answer's payload, or [#NONE] for a command that this is not for or a request that says no size
    public static int write(int command, MemorySegment request, long payload, int size, MemorySegment reply, long replyPayload) {
        boolean read = command == Command.REGION_READ.code();
        if (!read && command != Command.REGION_WRITE.code() || size < RegionAccessLayout.BYTES) {
            return NONE;
        }
        long count = HostOrder.u32(request, payload + RegionAccessLayout.COUNT);
        if (count > Exchange.MAX_DATA) {
            return NONE;
        }
        MemorySegment.copy(request, payload, reply, replyPayload, RegionAccessLayout.BYTES);
        if (!read) {
            return RegionAccessLayout.BYTES;
        }
        reply.asSlice(replyPayload + RegionAccessLayout.BYTES, count).fill(ALL_ONES);
        return RegionAccessLayout.BYTES + (int) count;
    }
}
