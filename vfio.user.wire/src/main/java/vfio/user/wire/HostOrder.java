// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/// Numbers as the wire has them: unsigned, in the byte order of the host, at any address.
public final class HostOrder {
    /// `uint16_t`.
    public static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED;
    /// `uint32_t`.
    public static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED;
    /// `uint64_t`.
    public static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED;

    private HostOrder() {
    }

    /// The u16 at that offset.
    public static int u16(MemorySegment segment, long offset) {
        return Short.toUnsignedInt(segment.get(U16, offset));
    }

    /// The u32 at that offset.
    public static long u32(MemorySegment segment, long offset) {
        return Integer.toUnsignedLong(segment.get(U32, offset));
    }

    /// The u64 at that offset, to be compared unsigned.
    public static long u64(MemorySegment segment, long offset) {
        return segment.get(U64, offset);
    }

    /// Stores the low 16 bits.
    public static void putU16(MemorySegment segment, long offset, int value) {
        segment.set(U16, offset, (short) value);
    }

    /// Stores the low 32 bits.
    public static void putU32(MemorySegment segment, long offset, long value) {
        segment.set(U32, offset, (int) value);
    }

    /// Stores all 64 bits.
    public static void putU64(MemorySegment segment, long offset, long value) {
        segment.set(U64, offset, value);
    }

    static long offset(StructLayout layout, String field) {
        return layout.byteOffset(MemoryLayout.PathElement.groupElement(field));
    }
}
