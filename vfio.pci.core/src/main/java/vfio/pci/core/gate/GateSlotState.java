// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// The fields of a slot, between two paddings.
abstract class GateSlotState extends GateSlotPadding {
    /// Inside, but has not yet read where.
    static final long NOT_YET = -1;
    /// Inside, and found nothing there.
    static final long NOWHERE = 0;

    private static final VarHandle SEQUENCE;
    private static final VarHandle INSIDE;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            SEQUENCE = lookup.findVarHandle(GateSlotState.class, "sequence", long.class);
            INSIDE = lookup.findVarHandle(GateSlotState.class, "inside", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /// Run by the thread of the slot when it leaves, once; set by that same thread when it stops the mediation it is in.
    Runnable onLeave;
    /// Nested entries of the slot's thread.
    int depth;
    /// Nobody enters by it any more.
    volatile boolean removed;
    /// Who used the slot last.
    volatile Thread thread;

    private long sequence;
    private long inside = NOT_YET;

    /// Odd from here on. The caller sees to it that nothing is looked at before.
    final void setInside() {
        SEQUENCE.setRelease(this, sequence + 1);
    }

    /// Even from here on; what the thread did inside is visible to who sees that.
    final void setOutside() {
        if ((sequence & 1) != 0) {
            INSIDE.setRelease(this, NOT_YET);
            SEQUENCE.setRelease(this, sequence + 1);
        }
    }

    /// What the thread did elsewhere before is visible to who sees that it is here.
    final void setWhere(long gateId) {
        INSIDE.setRelease(this, gateId);
    }

    final long sequence() {
        return (long) SEQUENCE.getVolatile(this);
    }

    final boolean isInside() {
        return (sequence() & 1) != 0;
    }

    final long where() {
        return (long) INSIDE.getAcquire(this);
    }
}
