// SPDX-License-Identifier: Apache-2.0
package bench;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import vfio.pci.api.PciId;
import vfio.pci.api.function.BoundFunction;

/// The cheapest register file that still is one: it finds the register, keeps words in an array without a lock, splits odd accesses. What
/// the core adds to it is measured against it, so nothing here may be slower than need be.
final class RegisterFile extends BoundFunction {
    static final int SIZE = 0x10000;

    private static final int CONFIG_SIZE = 256;
    private static final int PAGE_SHIFT = 12;
    private static final int CAUSES = 0x5000;
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(int[].class);

    private final int[] words = new int[SIZE / Integer.BYTES];
    private final MemorySegment config = MemorySegment.ofArray(new byte[CONFIG_SIZE]);

    RegisterFile(PciId id) {
        config.set(DWORD, 0, id.device() << 16 | id.vendor());
        config.set(DWORD, 8, id.classCode() << 8 | id.revision());
    }

    /// Sets a register without any effect.
    void poke(int offset, int value) {
        WORDS.setVolatile(words, offset >> 2, value);
    }

    @Override
    public int configSize() {
        return CONFIG_SIZE;
    }

    @Override
    public void readConfig(long offset, MemorySegment buffer, long bufferOffset, int count) {
        MemorySegment.copy(config, offset, buffer, bufferOffset, count);
    }

    @Override
    public void writeConfig(long offset, MemorySegment buffer, long bufferOffset, int count) {
        // Everything the core does not keep for itself is read-only here.
    }

    @Override
    public void readBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) {
        if (count == Integer.BYTES && (offset & 3) == 0) {
            buffer.set(DWORD, bufferOffset, read((int) offset));
            return;
        }
        for (int i = 0; i < count; i++) {
            int at = (int) offset + i;
            buffer.set(ValueLayout.JAVA_BYTE, bufferOffset + i, (byte) (read(at & ~3) >>> 8 * (at & 3)));
        }
    }

    @Override
    public void writeBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) {
        if (count == Integer.BYTES && (offset & 3) == 0) {
            write((int) offset, buffer.get(DWORD, bufferOffset));
            return;
        }
        for (int i = 0; i < count; i++) {
            int shift = 8 * ((int) offset + i & 3);
            int at = (int) offset + i & ~3;
            int written = buffer.get(ValueLayout.JAVA_BYTE, bufferOffset + i) & 0xFF;
            write(at, word(at) & ~(0xFF << shift) | written << shift);
        }
    }

    private int read(int offset) {
        return switch (offset >>> PAGE_SHIFT) {
            // causes are cleared by reading, the rest of the page is reserved
            case 5 -> offset == CAUSES ? (int) WORDS.getAndSet(words, CAUSES >> 2, 0) : 0;
            case 8 -> word(offset) & 3;
            case 0, 1, 2, 3, 4, 6, 7 -> word(offset);
            default -> 0;
        };
    }

    private void write(int offset, int value) {
        switch (offset >>> PAGE_SHIFT) {
            case 0, 1, 2, 3, 4, 6, 7 -> WORDS.setVolatile(words, offset >> 2, value);
            default -> { }
        }
    }

    private int word(int offset) {
        return (int) WORDS.getVolatile(words, offset >> 2);
    }

    @Override
    public void reset() {
        for (int i = 0; i < words.length; i++) {
            WORDS.setVolatile(words, i, 0);
        }
    }

    @Override
    public void close() {
    }
}
