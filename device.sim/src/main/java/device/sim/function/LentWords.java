// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Access to memory that a client may have mapped and write at the same time: one volatile access of natural width each, never a bulk copy,
/// so that a register in it is read or written whole. Little-endian, as on the bus. Allocates nothing.
final class LentWords {
    private static final ByteOrder BUS = ByteOrder.LITTLE_ENDIAN;
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.withOrder(BUS).varHandle();
    private static final VarHandle INT = ValueLayout.JAVA_INT.withOrder(BUS).varHandle();
    private static final VarHandle SHORT = ValueLayout.JAVA_SHORT.withOrder(BUS).varHandle();
    private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();
    private static final ValueLayout.OfLong BUFFER_LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(BUS);
    private static final ValueLayout.OfInt BUFFER_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(BUS);
    private static final ValueLayout.OfShort BUFFER_SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(BUS);

    private LentWords() {
    }

    static int get(MemorySegment memory, long offset) {
        return (int) INT.getVolatile(memory, offset);
    }

    static void set(MemorySegment memory, long offset, int value) {
        INT.setVolatile(memory, offset, value);
    }

    static void read(MemorySegment memory, long offset, MemorySegment buffer, long bufferOffset, int count) {
        int done = 0;
        while (done < count) {
            long at = offset + done;
            int width = width(at, count - done);
            switch (width) {
                case 8 -> buffer.set(BUFFER_LONG, bufferOffset + done, (long) LONG.getVolatile(memory, at));
                case 4 -> buffer.set(BUFFER_INT, bufferOffset + done, (int) INT.getVolatile(memory, at));
                case 2 -> buffer.set(BUFFER_SHORT, bufferOffset + done, (short) SHORT.getVolatile(memory, at));
                default -> buffer.set(ValueLayout.JAVA_BYTE, bufferOffset + done, (byte) BYTE.getVolatile(memory, at));
            }
            done += width;
        }
    }

    static void write(MemorySegment memory, long offset, MemorySegment buffer, long bufferOffset, int count) {
        int done = 0;
        while (done < count) {
            long at = offset + done;
            int width = width(at, count - done);
            switch (width) {
                case 8 -> LONG.setVolatile(memory, at, buffer.get(BUFFER_LONG, bufferOffset + done));
                case 4 -> INT.setVolatile(memory, at, buffer.get(BUFFER_INT, bufferOffset + done));
                case 2 -> SHORT.setVolatile(memory, at, buffer.get(BUFFER_SHORT, bufferOffset + done));
                default -> BYTE.setVolatile(memory, at, buffer.get(ValueLayout.JAVA_BYTE, bufferOffset + done));
            }
            done += width;
        }
    }

    /// The widest access that is aligned at the offset and not longer than what is left.
    private static int width(long offset, int left) {
        long aligned = offset == 0 ? 8 : Long.lowestOneBit(offset);
        return Integer.highestOneBit((int) Math.min(8, Math.min(aligned, left)));
    }
}
