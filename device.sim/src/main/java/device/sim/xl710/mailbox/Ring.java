// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.mailbox;

/// The five registers of one ring. Guarded by the function's lock.
public final class Ring {
    /// The length register's bit that says the ring is on.
    public static final int ENABLE = 1 << 31;
    /// The length register's bit for a ring that cannot be worked with: no length, or memory that is not there.
    public static final int CRITICAL = 1 << 30;
    /// The length register's bit for an index beyond the ring.
    public static final int OVERFLOW = 1 << 29;

    private static final int INDEX_MASK = 0x3FF;
    private static final int LENGTH_MASK = 0xF000_03FF;
    private static final int ERRORS = 0x7000_0000;

    private int baseHigh;
    private int baseLow;
    private int length;
    private int head;
    private int tail;
    /// Counts what a driver did besides moving the tail, so that work begun before does not move the head of what came after.
    private int generation;

    /// What a register reads.
    public int read(RingRegister register) {
        return switch (register) {
            case BAH -> baseHigh;
            case BAL -> baseLow;
            case LEN -> length;
            case HEAD -> head;
            case TAIL -> tail;
        };
    }

    /// A driver writes a register, or the state of another device comes here.
    public void write(RingRegister register, int value) {
        if (register != RingRegister.TAIL) {
            generation++;
        }
        switch (register) {
            case BAH -> baseHigh = value;
            case BAL -> baseLow = value;
            case LEN -> length = value & LENGTH_MASK;
            case HEAD -> head = value & INDEX_MASK;
            case TAIL -> tail = value & INDEX_MASK;
        }
    }

    /// All registers to 0.
    public void reset() {
        for (RingRegister register : RingRegister.values()) {
            write(register, 0);
        }
    }

    /// Whether the driver has switched it on.
    public boolean enabled() {
        return (length & ENABLE) != 0;
    }

    /// Whether there is a descriptor to work on. A ring that makes no sense gets its error bit, and stands still until the driver has
    /// cleared that.
    boolean ready() {
        if (!enabled() || (length & ERRORS) != 0 || head == tail) {
            return false;
        }
        if (size() == 0) {
            fail(CRITICAL);
            return false;
        }
        if (head >= size() || tail >= size()) {
            fail(OVERFLOW);
            return false;
        }
        return true;
    }

    void fail(int error) {
        length |= error;
    }

    int generation() {
        return generation;
    }

    int head() {
        return head;
    }

    /// Where the descriptor at the head is. The sum may wrap: the memory says what is there.
    long headAddress() {
        return ((long) baseHigh << Integer.SIZE | Integer.toUnsignedLong(baseLow)) + (long) head * DescriptorLayout.SIZE;
    }

    /// The head moves on, unless the driver set up the ring anew meanwhile.
    ///
    /// @return whether it did
    boolean advance(int sinceGeneration) {
        if (generation != sinceGeneration) {
            return false;
        }
        head = size() == 0 ? 0 : (head + 1) % size();
        return true;
    }

    private int size() {
        return length & INDEX_MASK;
    }
}
