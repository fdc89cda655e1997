// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.mailbox;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// `struct i40e_aq_desc`.
public final class DescriptorLayout {
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Field by field.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(
        LE16.withName("flags"), LE16.withName("opcode"), LE16.withName("datalen"), LE16.withName("retval"),
        LE32.withName("cookie_high"), LE32.withName("cookie_low"), LE32.withName("param0"), LE32.withName("param1"),
        LE32.withName("addr_high"), LE32.withName("addr_low"));

    /// Bytes of a descriptor.
    public static final int SIZE = Math.toIntExact(LAYOUT.byteSize());

    private static final long FLAGS = offset("flags");
    private static final long OPCODE = offset("opcode");
    private static final long DATALEN = offset("datalen");
    private static final long RETVAL = offset("retval");
    private static final long COOKIE_HIGH = offset("cookie_high");
    private static final long COOKIE_LOW = offset("cookie_low");
    private static final long PARAM0 = offset("param0");
    private static final long PARAM1 = offset("param1");
    private static final long ADDR_HIGH = offset("addr_high");
    private static final long ADDR_LOW = offset("addr_low");

    private DescriptorLayout() {
    }

    /// Reads a descriptor, each field once.
    public static Descriptor decode(MemorySegment bytes) {
        long address = (long) bytes.get(LE32, ADDR_HIGH) << Integer.SIZE | Integer.toUnsignedLong(bytes.get(LE32, ADDR_LOW));
        return new Descriptor(u16(bytes, FLAGS), u16(bytes, OPCODE), u16(bytes, DATALEN), u16(bytes, RETVAL),
            bytes.get(LE32, COOKIE_HIGH), bytes.get(LE32, COOKIE_LOW), bytes.get(LE32, PARAM0), bytes.get(LE32, PARAM1), address);
    }

    /// Writes a descriptor.
    public static void encode(Descriptor descriptor, MemorySegment bytes) {
        bytes.set(LE16, FLAGS, (short) descriptor.flags());
        bytes.set(LE16, OPCODE, (short) descriptor.opcode());
        bytes.set(LE16, DATALEN, (short) descriptor.length());
        bytes.set(LE16, RETVAL, (short) descriptor.retval());
        bytes.set(LE32, COOKIE_HIGH, descriptor.cookieHigh());
        bytes.set(LE32, COOKIE_LOW, descriptor.cookieLow());
        bytes.set(LE32, PARAM0, descriptor.param0());
        bytes.set(LE32, PARAM1, descriptor.param1());
        bytes.set(LE32, ADDR_HIGH, (int) (descriptor.address() >>> Integer.SIZE));
        bytes.set(LE32, ADDR_LOW, (int) descriptor.address());
    }

    private static int u16(MemorySegment bytes, long offset) {
        return Short.toUnsignedInt(bytes.get(LE16, offset));
    }

    private static long offset(String field) {
        return LAYOUT.byteOffset(PathElement.groupElement(field));
    }
}
