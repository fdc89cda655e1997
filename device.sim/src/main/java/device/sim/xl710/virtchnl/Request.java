// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The payload of a message: a copy that nobody changes any more, of a length that was not checked yet. Read by offset as
/// `virtchnl.h` lays it out.
///
/// @param bytes at least as long
/// @param length that the driver gave
record Request(MemorySegment bytes, int length) {
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int ADDRESS_BYTES = 6;

    /// Whether a list of this many elements is all there. Drivers send one element too many, because the structs once ended in an array of
    /// one: what is too much is left alone.
    boolean holds(int start, int elements, int elementSize) {
        return elements > 0 && elements <= (length - start) / elementSize;
    }

    int u8(int offset) {
        return Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, offset));
    }

    int u16(int offset) {
        return Short.toUnsignedInt(bytes.get(LE16, offset));
    }

    int u32(int offset) {
        return bytes.get(LE32, offset);
    }

    long u64(int offset) {
        return bytes.get(LE64, offset);
    }

    /// A hardware address; its first byte is the number's highest.
    long address(int offset) {
        long address = 0;
        for (int i = 0; i < ADDRESS_BYTES; i++) {
            address = address << Byte.SIZE | u8(offset + i);
        }
        return address;
    }

    byte[] copy(int offset, int count) {
        return bytes.asSlice(offset, count).toArray(ValueLayout.JAVA_BYTE);
    }
}
