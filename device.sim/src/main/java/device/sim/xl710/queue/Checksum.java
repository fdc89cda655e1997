// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The Internet checksum (RFC 1071). Sums are of 16-bit words as they lie in memory on a little-endian machine, which the order of bytes
/// in the packet does not matter to (RFC 1071, section 2 (B)); so numbers that are added or stored are swapped.
final class Checksum {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long LOW = 0xFFFF_FFFFL;

    private Checksum() {
    }

    /// Adds bytes that start at an even position of what is summed. Up to 2^31 bytes do not overflow.
    static long sum(MemorySegment memory, long offset, int count, long start) {
        long sum = start;
        int done = 0;
        for (; done <= count - 8; done += 8) {
            long word = memory.get(LONG, offset + done);
            sum += (word & LOW) + (word >>> 32);
        }
        if (done <= count - 4) {
            sum += memory.get(INT, offset + done) & LOW;
            done += 4;
        }
        if (done <= count - 2) {
            sum += memory.get(SHORT, offset + done) & 0xFFFF;
            done += 2;
        }
        if (done < count) {
            sum += memory.get(ValueLayout.JAVA_BYTE, offset + done) & 0xFF;
        }
        return sum;
    }

    /// A number of 16 bits as it adds to a sum.
    static long number(int value) {
        return (value & 0xFF) << 8 | value >>> 8 & 0xFF;
    }

    /// Folds a sum to 16 bits.
    static int fold(long sum) {
        long folded = (sum & LOW) + (sum >>> 32);
        folded = (folded & LOW) + (folded >>> 32);
        folded = (folded & 0xFFFF) + (folded >>> 16);
        folded = (folded & 0xFFFF) + (folded >>> 16);
        return (int) folded;
    }

    /// What a field holds, as it adds to a sum.
    static int field(MemorySegment memory, long offset) {
        return memory.get(SHORT, offset) & 0xFFFF;
    }

    /// Stores the complement of a folded sum.
    static void store(MemorySegment memory, long offset, int folded) {
        memory.set(SHORT, offset, (short) ~folded);
    }

    /// Stores the complement of a folded sum, with all ones for 0, as UDP has it (RFC 768).
    static void storeUdp(MemorySegment memory, long offset, int folded) {
        int complement = ~folded & 0xFFFF;
        memory.set(SHORT, offset, (short) (complement == 0 ? 0xFFFF : complement));
    }
}
