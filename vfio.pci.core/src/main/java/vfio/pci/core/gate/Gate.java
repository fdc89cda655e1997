// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import linux.sys.ProcessBarrier;

/// Lets threads into what is current, and can be emptied: after [#clear] and a [#drain] that succeeded no thread is inside what was
/// cleared, and none will be.
///
/// Entering is two stores and a load on memory of the entering thread's own; nothing is shared between threads that enter. The price is
/// paid by who drains, who has all threads pass a barrier and looks at every slot. The order that makes it correct is Dekker's: the
/// entering thread makes its slot odd, then reads what is current; the draining thread clears what is current, then reads the slots.
/// One of them sees the other, because the barrier is between the two in every thread; where the system has none, both fence. A slot
/// also says *which* thing its thread is in, so that emptying A does not wait for a hang in B.
///
/// @param <T> what is guarded
public final class Gate<T extends Guarded> {
    private static final boolean FENCES = !ProcessBarrier.isAvailable();
    private static final VarHandle CURRENT;
    private static final long LONGEST_NAP_NANOS = 200_000;

    static {
        try {
            CURRENT = MethodHandles.lookup().findVarHandle(Gate.class, "current", Guarded.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final List<GateSlot> slots = new CopyOnWriteArrayList<>();
    private Guarded current;

    /// A slot of this gate, for one thread at a time.
    public GateSlot slot() {
        GateSlot slot = new GateSlot();
        slots.add(slot);
        return slot;
    }

    /// Gives a slot up: who uses it finds nothing from now on. A thread that is inside by it is waited for even so.
    public void remove(GateSlot slot) {
        slot.removed = true;
        barrier();
        slots.removeIf(GateSlot::isUnused);
    }

    /// Puts something in. What was there before is cleared first, by the caller.
    public void set(T value) {
        CURRENT.setVolatile(this, value);
    }

    /// What is current, for those who do not enter it.
    @SuppressWarnings("unchecked")
    public T peek() {
        return (T) CURRENT.getAcquire(this);
    }

    /// Enters what is current; nested entries are counted. Whatever this returns or throws, [#leave] follows, with the slot's depth as it
    /// was before.
    ///
    /// @return what is current, or null when there is nothing; to a nested entry also when it is not what the thread is in: the slot says
    ///     one thing at a time, and nobody would wait for a thread in the other
    public T enter(GateSlot slot) {
        if (slot.depth++ > 0) {
            T value = peek();
            return value != null && value.gateId == slot.where() ? value : null;
        }
        Thread thread = Thread.currentThread();
        if (slot.thread != thread) {
            slot.thread = thread;
        }
        slot.setInside();
        if (FENCES) {
            VarHandle.fullFence();
        } else {
            // For the compiler, which might otherwise look first.
            VarHandle.releaseFence();
        }
        T value = slot.removed ? null : peek();
        slot.setWhere(value == null ? GateSlotState.NOWHERE : value.gateId);
        return value;
    }

    /// Leaves.
    ///
    /// @param depthBefore of the slot, before the entry: a stack that overflowed may have left out entries and leavings further in
    public void leave(GateSlot slot, int depthBefore) {
        slot.depth = depthBefore;
        if (depthBefore == 0) {
            slot.setOutside();
            Runnable onLeave = slot.onLeave;
            if (onLeave != null) {
                slot.onLeave = null;
                onLeave.run();
            }
        }
    }

    /// Takes the value out, if it is current: nobody enters it from now on.
    public void clear(T value) {
        CURRENT.compareAndSet(this, value, null);
        barrier();
    }

    /// Between a store of this thread and its look at the slots: a thread that enters meanwhile has either been seen, or sees what was
    /// stored.
    private static void barrier() {
        if (FENCES) {
            VarHandle.fullFence();
        } else {
            ProcessBarrier.pass();
        }
    }

    /// Waits until the threads inside the cleared value have left, at most until the deadline.
    ///
    /// @param value what was cleared
    /// @param deadlineNanos on the clock of [System#nanoTime()]
    /// @return who is inside still; the calling thread itself, which cannot be waited for, among them
    public List<Inside> drain(T value, long deadlineNanos) {
        List<Inside> left = new ArrayList<>();
        for (GateSlot slot : slots) {
            long sequence = slot.sequence();
            if ((sequence & 1) == 0) {
                continue;
            }
            Inside inside = new Inside(slot, sequence);
            if (!awaitOutside(inside, value.gateId, deadlineNanos)) {
                left.add(inside);
            }
        }
        slots.removeIf(GateSlot::isUnused);
        return left;
    }

    private static boolean awaitOutside(Inside inside, long gateId, long deadlineNanos) {
        long nap = 1_000;
        for (int turn = 0; inside.still(); turn++) {
            long where = inside.slot.where();
            if (where != gateId && where != GateSlotState.NOT_YET) {
                return true;
            }
            if (inside.slot.thread == Thread.currentThread() || System.nanoTime() - deadlineNanos >= 0) {
                return false;
            }
            if (turn < 100) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(nap);
                nap = Math.min(2 * nap, LONGEST_NAP_NANOS);
            }
        }
        return true;
    }

    /// A thread that was inside when it was looked for. Holds nothing of what it is inside of.
    public static final class Inside {
        private final GateSlot slot;
        private final long sequence;
        private final Thread thread;

        private Inside(GateSlot slot, long sequence) {
            this.slot = slot;
            this.sequence = sequence;
            this.thread = slot.thread;
        }

        /// Whether it still is.
        public boolean still() {
            return slot.sequence() == sequence;
        }

        /// Who it is.
        public Thread thread() {
            return thread;
        }

        /// Has the calling thread run something when it leaves. Only for itself.
        public void onLeave(Runnable action) {
            if (slot.thread != Thread.currentThread()) {
                throw new IllegalStateException("thread=" + slot.thread + " expected=the calling thread");
            }
            slot.onLeave = action;
        }
    }
}
