// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Frames of one series, each with a number, from which all its bytes and its length follow. Writing and checking allocate nothing. Any
 * thread.
 */
public final class NumberedFrames {
    /** The shortest frame that a medium carries, without its check sequence. */
    public static final int SHORTEST = 60;
    /** The longest that is not a jumbo frame. */
    public static final int LONGEST = 1514;

    /** For experiments on one's own network. */
    private static final int ETHERTYPE = 0x88B5;
    private static final int SOURCE = 6;
    private static final int TYPE = 12;
    private static final int SERIES = 14;
    private static final int NUMBER = 16;
    private static final int WORDS = 24;
    private static final AtomicInteger LAST_SERIES = new AtomicInteger();
    private static final long PER_NUMBER = 0x9E37_79B9_7F4A_7C15L;
    private static final long PER_WORD = 0xC2B2_AE3D_27D4_EB4FL;

    private final MemorySegment header = MemorySegment.ofArray(new byte[NUMBER]);
    private final short series;
    private final int shortest;
    private final int span;

    /** A new series, of all lengths from one to the other. */
    public NumberedFrames(MacAddress from, MacAddress to, int shortest, int longest) {
        if (shortest < SHORTEST || longest < shortest) {
            throw new IllegalArgumentException("shortest=0x%x longest=0x%x".formatted(shortest, longest));
        }
        this.shortest = shortest;
        span = longest - shortest + 1;
        MemorySegment.copy(to.toBytes(), 0, header, ValueLayout.JAVA_BYTE, 0, SOURCE);
        MemorySegment.copy(from.toBytes(), 0, header, ValueLayout.JAVA_BYTE, SOURCE, SOURCE);
        header.set(ValueLayout.JAVA_BYTE, TYPE, (byte) (ETHERTYPE >>> Byte.SIZE));
        header.set(ValueLayout.JAVA_BYTE, TYPE + 1, (byte) ETHERTYPE);
        series = (short) LAST_SERIES.incrementAndGet();
        header.set(Le.U16, SERIES, series);
    }

    /** A new series of ordinary frames of all lengths. */
    public NumberedFrames(MacAddress from, MacAddress to) {
        this(from, to, SHORTEST, LONGEST);
    }

    /** Bytes of the longest. */
    public int longest() {
        return shortest + span - 1;
    }

    /** Bytes of that frame. */
    public int length(long number) {
        return shortest + (int) ((number * PER_NUMBER >>> Integer.SIZE) % span);
    }

    /**
     * Writes a frame.
     *
     * @return bytes
     */
    public int write(MemorySegment memory, long at, long number) {
        int bytes = length(number);
        MemorySegment.copy(header, 0, memory, at, NUMBER);
        memory.set(Le.U64, at + NUMBER, number);
        long word = number * PER_NUMBER;
        int i = WORDS;
        for (; i + Long.BYTES <= bytes; i += Long.BYTES) {
            word += PER_WORD;
            memory.set(Le.U64, at + i, word);
        }
        word += PER_WORD;
        for (; i < bytes; i++) {
            memory.set(ValueLayout.JAVA_BYTE, at + i, (byte) (word >>> Byte.SIZE * (i & 7)));
        }
        return bytes;
    }

    /** Whether a frame says that it is of this series, and not left over from an earlier one. */
    public boolean mine(MemorySegment memory, long at) {
        return memory.get(Le.U16, at + SERIES) == series;
    }

    /** The number that a frame says it has. */
    public static long number(MemorySegment memory, long at) {
        return memory.get(Le.U64, at + NUMBER);
    }

    /**
     * Checks that this is the frame with that number, every byte of it.
     *
     * @throws IavfException when it is not, with the first difference
     */
    public void check(MemorySegment memory, long at, int bytes, long number) {
        if (bytes != length(number) || number(memory, at) != number
                || MemorySegment.mismatch(header, 0, NUMBER, memory, at, at + NUMBER) >= 0) {
            throw new IavfException("frame number=0x%x length=0x%x expected=number 0x%x, length 0x%x, from and to as sent",
                number(memory, at), bytes, number, length(number));
        }
        long word = number * PER_NUMBER;
        int i = WORDS;
        for (; i + Long.BYTES <= bytes; i += Long.BYTES) {
            word += PER_WORD;
            if (memory.get(Le.U64, at + i) != word) {
                throw new IavfException("frame number=0x%x offset=0x%x value=0x%x expected=0x%x", number, i,
                    memory.get(Le.U64, at + i), word);
            }
        }
        word += PER_WORD;
        for (; i < bytes; i++) {
            if (memory.get(ValueLayout.JAVA_BYTE, at + i) != (byte) (word >>> Byte.SIZE * (i & 7))) {
                throw new IavfException("frame number=0x%x offset=0x%x value=0x%x expected=0x%x", number, i,
                    memory.get(ValueLayout.JAVA_BYTE, at + i), (byte) (word >>> Byte.SIZE * (i & 7)));
            }
        }
    }
}
