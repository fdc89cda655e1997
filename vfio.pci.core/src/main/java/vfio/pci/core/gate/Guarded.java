// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import java.util.concurrent.atomic.AtomicLong;

/// Something a [Gate] lets threads into. It is told apart by a number, so that a slot can say where its thread is without keeping a
/// reference to a class of a bundle that may go.
public abstract class Guarded {
    private static final AtomicLong NEXT = new AtomicLong(1);

    final long gateId = NEXT.getAndIncrement();

    /// For what is to be guarded.
    protected Guarded() {
    }
}
