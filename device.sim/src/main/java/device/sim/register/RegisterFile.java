// SPDX-License-Identifier: Apache-2.0
package device.sim.register;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The 32-bit registers behind a BAR. An access of another width or alignment is split: reading a part of a register reads it whole, with
/// the side effect that has; writing a part keeps the other bytes, as byte enables on the bus do.
///
/// Not thread-safe: the function's lock guards it. Offsets are inside the BAR. Nothing is allocated.
public abstract class RegisterFile {
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// For devices.
    protected RegisterFile() {
    }

    /// What a driver reads, with the side effect that has.
    ///
    /// @param offset a multiple of 4
    public abstract int read(int offset);

    /// What a driver would read, without a side effect.
    ///
    /// @param offset a multiple of 4
    public abstract int peek(int offset);

    /// A driver writes.
    ///
    /// @param offset a multiple of 4
    public abstract void write(int offset, int value);

    /// The device's own side sets the register, where it can: no side effect, read-only for the driver or not.
    ///
    /// @param offset a multiple of 4
    public abstract void poke(int offset, int value);

    /// What the bytes of a register count as that a narrower write leaves out. A register whose bits a written 1 clears has to say 0.
    ///
    /// @param offset a multiple of 4
    protected int leftOut(int offset) {
        return peek(offset);
    }

    /// Reads `count` bytes into the buffer.
    public final void read(long offset, MemorySegment buffer, long bufferOffset, int count) {
        int done = 0;
        while (done < count) {
            int at = Math.toIntExact(offset + done);
            int part = Math.min(4 - (at & 3), count - done);
            int value = read(at & ~3) >>> 8 * (at & 3);
            if (part == 4) {
                buffer.set(DWORD, bufferOffset + done, value);
            } else {
                for (int i = 0; i < part; i++) {
                    buffer.set(ValueLayout.JAVA_BYTE, bufferOffset + done + i, (byte) (value >>> 8 * i));
                }
            }
            done += part;
        }
    }

    /// Writes `count` bytes of the buffer.
    public final void write(long offset, MemorySegment buffer, long bufferOffset, int count) {
        int done = 0;
        while (done < count) {
            int at = Math.toIntExact(offset + done);
            int part = Math.min(4 - (at & 3), count - done);
            if (part == 4) {
                write(at, buffer.get(DWORD, bufferOffset + done));
            } else {
                writePart(at, part, buffer, bufferOffset + done);
            }
            done += part;
        }
    }

    private void writePart(int offset, int count, MemorySegment buffer, long bufferOffset) {
        int value = leftOut(offset & ~3);
        for (int i = 0; i < count; i++) {
            int shift = 8 * (offset + i & 3);
            int written = buffer.get(ValueLayout.JAVA_BYTE, bufferOffset + i) & 0xFF;
            value = value & ~(0xFF << shift) | written << shift;
        }
        write(offset & ~3, value);
    }
}
