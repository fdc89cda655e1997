// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicIntegerArray;

/// The tail registers: in memory that a driver lent and a client may write at any time, or in registers of our own. A word is read once,
/// and what is read is as hostile as its writer likes.
final class Tails {
    static final int QTX_TAIL1 = 0x0000;
    static final int QRX_TAIL1 = 0x2000;
    /// Bits that a tail has.
    static final int MASK = 0x1FFF;

    private static final VarHandle WORD = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final MemorySegment NONE = MemorySegment.ofArray(new int[0]);

    private final AtomicIntegerArray registers;
    private final int queues;
    private volatile MemorySegment memory = NONE;
    private volatile boolean halted;

    Tails(int queues) {
        this.queues = queues;
        this.registers = new AtomicIntegerArray(2 * queues);
    }

    /// Where BAR 0 is from now on; without memory, in registers.
    void lent(MemorySegment bar) {
        memory = bar.byteSize() < QRX_TAIL1 + Integer.BYTES * queues ? NONE : bar;
    }

    boolean inMemory() {
        return memory != NONE;
    }

    static int register(boolean receive, int queue) {
        return (receive ? QRX_TAIL1 : QTX_TAIL1) + Integer.BYTES * queue;
    }

    int get(boolean receive, int queue) {
        MemorySegment bar = memory;
        int value = bar == NONE ? registers.get(index(receive, queue)) : (int) WORD.getVolatile(bar, (long) register(receive, queue));
        return value & MASK;
    }

    void set(boolean receive, int queue, int value) {
        MemorySegment bar = memory;
        if (bar == NONE) {
            registers.set(index(receive, queue), value & MASK);
        } else {
            WORD.setVolatile(bar, (long) register(receive, queue), value & MASK);
        }
    }

    /// Until [#resume()] no tail counts, for all are about to be set to 0 below queues that still run. To be called before they are.
    void halt() {
        halted = true;
    }

    /// Tails count again.
    void resume() {
        halted = false;
    }

    /// Whether what [#get] just returned does not count. To be asked after it: a tail that was read before the halt is the driver's.
    boolean halted() {
        return halted;
    }

    private int index(boolean receive, int queue) {
        return (receive ? queues : 0) + queue;
    }
}
