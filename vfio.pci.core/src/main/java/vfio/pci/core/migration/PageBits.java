// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// A bit for each page of a range, set by any thread and taken out by one at a time.
///
/// The bits are in blocks. A whole block is taken out by putting an empty one in its place: who sets a bit looks again whether the block is
/// still in place, and sets it in the new one too if not; so that the old one can be read and cleared by plain accesses, which is many
/// times as fast as an atomic one for each word. A bit that comes too late for the old block may stay in it until it is used again, for
/// other pages perhaps: then a page is reported that was not written, but none is missed.
final class PageBits {
    /// Words of a block.
    static final int BLOCK = 512;
    private static final int SHIFT = Integer.numberOfTrailingZeros(BLOCK);
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle PLACE = MethodHandles.arrayElementVarHandle(Block[].class);
    private static final ValueLayout.OfLong BITMAP = ValueLayout.JAVA_LONG_UNALIGNED;

    private final Block[] blocks;
    /// What is put in place of the next block that is taken.
    private long[] spare = new long[BLOCK];

    /// Words in a place. There is a new one each time, so that nobody takes words that were put in place again for those that were never
    /// away.
    private record Block(long[] words) {
    }

    /// Clear bits.
    ///
    /// @param words how many there are room for, at least
    PageBits(long words) {
        blocks = new Block[(int) (words + BLOCK - 1 >>> SHIFT)];
        for (int i = 0; i < blocks.length; i++) {
            PLACE.set(blocks, i, new Block(new long[BLOCK]));
        }
    }

    /// Sets bits of a word. By any thread.
    void set(int word, long bits) {
        int place = word >>> SHIFT;
        Block block = (Block) PLACE.getVolatile(blocks, place);
        while (true) {
            WORD.getAndBitwiseOr(block.words, word & BLOCK - 1, bits);
            Block now = (Block) PLACE.getVolatile(blocks, place);
            if (now == block) {
                return;
            }
            block = now;
        }
    }

    /// Whether no bit of a word is set.
    boolean isClear(int word) {
        return (long) WORD.getOpaque(block(word).words, word & BLOCK - 1) == 0;
    }

    /// Takes bits out of a word.
    ///
    /// @param cleared which ones are cleared
    /// @return the word as it was
    long take(int word, long cleared) {
        return (long) WORD.getAndBitwiseAnd(block(word).words, word & BLOCK - 1, ~cleared);
    }

    private Block block(int word) {
        return (Block) PLACE.getVolatile(blocks, word >>> SHIFT);
    }

    /// Takes all bits out of a block, or some of its first words where it is the last one, and adds them to a bitmap.
    ///
    /// @param word the first one of the block
    /// @return whether any bit was set
    boolean takeBlock(int word, int words, MemorySegment bitmap, long at) {
        long[] old = block(word).words;
        if (isClear(old)) {
            return false;
        }
        PLACE.setVolatile(blocks, word >>> SHIFT, new Block(spare));
        VarHandle.fullFence();
        spare = old;
        long any = 0;
        for (int i = 0; i < words; i++) {
            long bits = old[i];
            long to = at + ((long) i << 3);
            bitmap.set(BITMAP, to, bitmap.get(BITMAP, to) | bits);
            any |= bits;
            old[i] = 0;
        }
        // The pages are read after the bits.
        VarHandle.fullFence();
        return any != 0;
    }

    private static boolean isClear(long[] words) {
        for (long word : words) {
            if (word != 0) {
                return false;
            }
        }
        return true;
    }
}
