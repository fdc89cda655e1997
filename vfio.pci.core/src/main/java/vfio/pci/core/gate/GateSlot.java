// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

/// Where one port's thread says that it is inside, alone in its cache lines. Written by the thread that uses the port, read by
/// the one that drains.
public final class GateSlot extends GateSlotState {
    @SuppressWarnings("unused")
    private long q0, q1, q2, q3, q4, q5, q6, q7;

    GateSlot() {
    }

    /// How many entries its thread has not left yet. Only for that thread.
    public int depth() {
        return depth;
    }

    boolean isUnused() {
        return removed && !isInside();
    }
}
