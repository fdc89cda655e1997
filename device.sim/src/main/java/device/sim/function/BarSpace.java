// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import device.sim.register.RegisterFile;
import java.lang.foreign.MemorySegment;
import java.util.stream.LongStream;
import vfio.pci.api.Range;
import vfio.pci.api.function.Bar;

/// What is behind one BAR: memory-like pages in the memory the driver lends, registers everywhere else. An access across both is split.
///
/// Guarded by the function's lock.
final class BarSpace {
    private static final MemorySegment NONE = MemorySegment.ofArray(new byte[0]);

    private final Bar bar;
    private final RegisterFile registers;
    private final long[] edges;
    private MemorySegment memory = NONE;

    BarSpace(Bar bar, RegisterFile registers) {
        this.bar = bar;
        this.registers = registers;
        // Start and end of each run of memory, so that an even number of edges passed means registers.
        edges = bar.memoryLike().stream().flatMapToLong(range -> LongStream.of(range.offset(), range.end())).toArray();
    }

    Bar bar() {
        return bar;
    }

    /// The memory a driver lends, if it is long enough.
    MemorySegment checked(MemorySegment lent) {
        long needed = edges.length == 0 ? 0 : edges[edges.length - 1];
        if (lent.byteSize() < needed) {
            throw new IllegalArgumentException("bar=%d memory=0x%x expected=at least 0x%x".formatted(bar.index(), lent.byteSize(), needed));
        }
        return lent;
    }

    void attach(MemorySegment lent) {
        memory = lent;
    }

    void detach() {
        memory = NONE;
    }

    boolean attached() {
        return memory != NONE;
    }

    void clear(Range range) {
        memory.asSlice(range.offset(), range.size()).fill((byte) 0);
    }

    void read(long offset, MemorySegment buffer, long bufferOffset, int count) {
        int done = 0;
        while (done < count) {
            int passed = edgesPassed(offset + done);
            int part = (int) Math.min(count - done, runEnd(passed) - (offset + done));
            if (inMemory(passed)) {
                LentWords.read(memory, offset + done, buffer, bufferOffset + done, part);
            } else {
                registers.read(offset + done, buffer, bufferOffset + done, part);
            }
            done += part;
        }
    }

    void write(long offset, MemorySegment buffer, long bufferOffset, int count) {
        int done = 0;
        while (done < count) {
            int passed = edgesPassed(offset + done);
            int part = (int) Math.min(count - done, runEnd(passed) - (offset + done));
            if (inMemory(passed)) {
                LentWords.write(memory, offset + done, buffer, bufferOffset + done, part);
            } else {
                registers.write(offset + done, buffer, bufferOffset + done, part);
            }
            done += part;
        }
    }

    /// A driver reads an aligned 32-bit word.
    int read(int offset) {
        return isMemory(offset) ? LentWords.get(memory, offset) : registers.read(offset);
    }

    /// A driver writes an aligned 32-bit word.
    void write(int offset, int value) {
        if (isMemory(offset)) {
            LentWords.set(memory, offset, value);
        } else {
            registers.write(offset, value);
        }
    }

    /// What the device's own side sees of an aligned 32-bit word.
    int peek(int offset) {
        return isMemory(offset) ? LentWords.get(memory, offset) : registers.peek(offset);
    }

    /// The device's own side sets an aligned 32-bit word.
    void poke(int offset, int value) {
        if (isMemory(offset)) {
            LentWords.set(memory, offset, value);
        } else {
            registers.poke(offset, value);
        }
    }

    boolean isMemory(long offset) {
        return inMemory(edgesPassed(offset));
    }

    /// Whether an access has a part in the memory.
    boolean reachesMemory(long offset, int count) {
        int passed = edgesPassed(offset);
        return inMemory(passed) || runEnd(passed) < offset + count;
    }

    private int edgesPassed(long offset) {
        int passed = 0;
        while (passed < edges.length && edges[passed] <= offset) {
            passed++;
        }
        return passed;
    }

    private long runEnd(int passed) {
        return passed < edges.length ? edges[passed] : bar.size();
    }

    private static boolean inMemory(int passed) {
        return (passed & 1) != 0;
    }
}
