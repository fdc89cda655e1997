// SPDX-License-Identifier: Apache-2.0
package device.sim.igd;

import device.sim.register.RegisterFile;

/// BAR 4: BAR 0 for those who can reach I/O ports only. MMIO_INDEX at 0 says what MMIO_DATA at 4 is: its bits 1:0 choose registers (0) or
/// the translation table (1), the others are the offset. Guarded by the function's lock.
final class IndexedAccess extends RegisterFile {
    private static final int MMIO_INDEX = 0;
    private static final int MMIO_DATA = 4;
    private static final int TARGET_MASK = 3;
    private static final int TARGET_TABLE = 1;

    /// How BAR 0 is reached from here.
    interface Target {
        int read(int offset);

        void write(int offset, int value);
    }

    private final Target target;
    private int index;

    IndexedAccess(Target target) {
        this.target = target;
    }

    void reset() {
        index = 0;
    }

    @Override
    public int read(int offset) {
        return switch (offset) {
            case MMIO_INDEX -> index;
            case MMIO_DATA -> reachable() ? target.read(targetOffset()) : 0;
            default -> 0;
        };
    }

    @Override
    public int peek(int offset) {
        // No register that can be reached this way has a side effect on reading.
        return read(offset);
    }

    @Override
    public void write(int offset, int value) {
        switch (offset) {
            case MMIO_INDEX -> index = value;
            case MMIO_DATA -> {
                if (reachable()) {
                    target.write(targetOffset(), value);
                }
            }
            default -> { }
        }
    }

    @Override
    public void poke(int offset, int value) {
        write(offset, value);
    }

    private boolean reachable() {
        return (index & TARGET_MASK) <= TARGET_TABLE && Integer.compareUnsigned(index & ~TARGET_MASK, IgdFunction.TABLE_OFFSET) < 0;
    }

    private int targetOffset() {
        return (index & ~TARGET_MASK) + ((index & TARGET_MASK) == TARGET_TABLE ? IgdFunction.TABLE_OFFSET : 0);
    }
}
