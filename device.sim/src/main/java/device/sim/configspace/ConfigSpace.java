// SPDX-License-Identifier: Apache-2.0
package device.sim.configspace;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The bytes of a config space and what a write does to each bit. Not thread-safe: the function's lock guards it.
public final class ConfigSpace {
    private static final int COMMAND = 0x04;
    private static final int BUS_MASTER = 1 << 2;

    private final byte[] initial;
    private final byte[] value;
    private final byte[] writable;
    private final byte[] clearable;
    private final byte[] trigger;

    ConfigSpace(byte[] initial, byte[] writable, byte[] clearable, byte[] trigger) {
        this.initial = initial;
        this.value = initial.clone();
        this.writable = writable;
        this.clearable = clearable;
        this.trigger = trigger;
    }

    /// 256, or 4096 with extended capabilities.
    public int size() {
        return value.length;
    }

    /// Copies bytes out.
    ///
    /// @param count in bounds, as the caller checked
    public void read(long offset, MemorySegment buffer, long bufferOffset, int count) {
        MemorySegment.copy(value, Math.toIntExact(offset), buffer, ValueLayout.JAVA_BYTE, bufferOffset, count);
    }

    /// Writes bytes, each bit as its field says.
    ///
    /// @param count in bounds, as the caller checked
    /// @return whether a trigger bit was written as 1; the only one there is is Initiate Function Level Reset
    public boolean write(long offset, MemorySegment buffer, long bufferOffset, int count) {
        int triggered = 0;
        for (int i = 0; i < count; i++) {
            int at = Math.toIntExact(offset) + i;
            int written = buffer.get(ValueLayout.JAVA_BYTE, bufferOffset + i);
            int kept = value[at] & ~writable[at] & ~(written & clearable[at]);
            value[at] = (byte) (kept | written & writable[at]);
            triggered |= written & trigger[at];
        }
        return triggered != 0;
    }

    /// Whether the function may read and write memory by itself: Bus Master Enable of the Command register.
    public boolean busMaster() {
        return (value[COMMAND] & BUS_MASTER) != 0;
    }

    /// All bytes as they read.
    public byte[] bytes() {
        return value.clone();
    }

    /// Takes over what another function's fields were, those that a write can change. No trigger has an effect.
    ///
    /// @param bytes as [#bytes()] gave them, as many as there are
    public void restore(byte[] bytes) {
        for (int at = 0; at < value.length; at++) {
            int taken = writable[at] | clearable[at];
            value[at] = (byte) (value[at] & ~taken | bytes[at] & taken);
        }
    }

    /// Returns every field to its first value.
    public void reset() {
        System.arraycopy(initial, 0, value, 0, value.length);
    }
}
