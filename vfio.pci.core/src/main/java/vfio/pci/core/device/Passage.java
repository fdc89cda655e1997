// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.concurrent.atomic.AtomicBoolean;
import vfio.pci.core.gate.GateSlot;

/// A way into the mediation of one layer, for one thread at a time.
final class Passage {
    private final Layer layer;
    private final GateSlot slot;
    private final AtomicBoolean taken = new AtomicBoolean(true);

    /// One that the calling thread has.
    Passage(Layer layer, GateSlot slot) {
        this.layer = layer;
        this.slot = slot;
    }

    Layer layer() {
        return layer;
    }

    GateSlot slot() {
        return slot;
    }

    /// Whether the calling thread has it now, and nobody else.
    boolean take() {
        return !taken.get() && taken.compareAndSet(false, true);
    }

    void giveBack() {
        taken.set(false);
    }
}
