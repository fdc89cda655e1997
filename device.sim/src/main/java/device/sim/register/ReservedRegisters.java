// SPDX-License-Identifier: Apache-2.0
package device.sim.register;

/// A BAR without registers: reads 0, ignores writes.
public final class ReservedRegisters extends RegisterFile {
    @Override
    public int read(int offset) {
        return 0;
    }

    @Override
    public int peek(int offset) {
        return 0;
    }

    @Override
    public void write(int offset, int value) {
        // Nothing is there.
    }

    @Override
    public void poke(int offset, int value) {
        // Nothing is there.
    }
}
