// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// What an Ethernet frame looks like (IEEE 802.3, 802.1Q). Addresses are the low 48 bits of a long, first octet highest.
public final class Ethernet {
    /// Both addresses and the type.
    public static final int HEADER = 14;
    /// A tag's type and control information.
    public static final int TAG = 4;
    /// Shortest frame, without frame check sequence; shorter ones are padded.
    public static final int SHORTEST = 60;
    /// Longest frame that the card moves, without frame check sequence.
    public static final int LONGEST = 9728;
    /// Type of a tag.
    public static final int TYPE_VLAN = 0x8100;
    /// Tag of a frame that has none.
    public static final int UNTAGGED = -1;
    /// VLAN in a tag's control information.
    public static final int VLAN_MASK = 0xFFF;
    /// To all.
    public static final long BROADCAST = 0xFFFF_FFFF_FFFFL;
    /// Set in a group address.
    public static final long GROUP_BIT = 1L << 40;

    static final int ADDRESSES = 12;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private Ethernet() {
    }

    /// Whom a frame is for.
    public static long destination(MemorySegment memory, long frame) {
        return memory.get(LONG, frame) >>> 16;
    }

    /// Whom a frame is from.
    public static long source(MemorySegment memory, long frame) {
        return memory.get(LONG, frame + 4) & BROADCAST;
    }

    /// The type behind the addresses, or a length.
    public static int type(MemorySegment memory, long frame) {
        return memory.get(SHORT, frame + ADDRESSES) & 0xFFFF;
    }

    /// Control information of the tag of a frame that starts with one.
    public static int inlineTag(MemorySegment memory, long frame) {
        return memory.get(SHORT, frame + ADDRESSES + 2) & 0xFFFF;
    }

    /// Takes the tag out by moving the addresses over it: the frame starts 4 bytes further on then.
    public static void takeTagOut(MemorySegment memory, long frame) {
        MemorySegment.copy(memory, frame, memory, frame + TAG, ADDRESSES);
    }

    /// Puts a tag in by moving the addresses forward: the frame starts 4 bytes earlier then.
    public static void putTagIn(MemorySegment memory, long frame, int tag) {
        MemorySegment.copy(memory, frame, memory, frame - TAG, ADDRESSES);
        memory.set(INT, frame - TAG + ADDRESSES, TYPE_VLAN << 16 | tag & 0xFFFF);
    }
}
