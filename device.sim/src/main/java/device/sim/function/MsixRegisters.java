// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import device.sim.register.RegisterFile;

/// The BAR with the MSI-X table and pending bits (PCI Local Bus 3.0, section 6.8.2): entry i at 16 i, address low and high, data, vector
/// control. The table keeps what is written; who is sent to is said in [MessageInterrupts].
public final class MsixRegisters extends RegisterFile {
    private static final int ENTRY = 16;
    private static final int VECTOR_CONTROL = 12;
    private static final int MASK_BIT = 1;

    private final MessageInterrupts messages;
    private final int pendingOffset;
    private final int[] table;

    /// A table with every vector masked.
    ///
    /// @param pendingOffset where the pending bits start in the BAR
    public MsixRegisters(MessageInterrupts messages, int pendingOffset) {
        this.messages = messages;
        this.pendingOffset = pendingOffset;
        this.table = new int[messages.vectors() * ENTRY / Integer.BYTES];
        reset();
    }

    /// Masks every vector and clears the rest.
    public void reset() {
        for (int i = 0; i < table.length; i++) {
            table[i] = i % 4 == 3 ? MASK_BIT : 0;
        }
    }

    /// The table, four words an entry.
    public int[] table() {
        return table.clone();
    }

    /// Takes over another function's table.
    public void table(int[] words) {
        System.arraycopy(words, 0, table, 0, table.length);
    }

    @Override
    public int read(int offset) {
        return peek(offset);
    }

    @Override
    public int peek(int offset) {
        if (inTable(offset)) {
            return table[offset / Integer.BYTES];
        }
        int firstVector = (offset - pendingOffset) * Byte.SIZE;
        return offset >= pendingOffset && firstVector < messages.vectors() ? messages.pendingBits(firstVector) : 0;
    }

    @Override
    public void write(int offset, int value) {
        if (!inTable(offset)) {
            return;
        }
        table[offset / Integer.BYTES] = switch (offset % ENTRY) {
            case 0 -> value & ~3;
            case VECTOR_CONTROL -> value & MASK_BIT;
            default -> value;
        };
    }

    @Override
    public void poke(int offset, int value) {
        write(offset, value);
    }

    private boolean inTable(int offset) {
        return offset < table.length * Integer.BYTES;
    }
}
