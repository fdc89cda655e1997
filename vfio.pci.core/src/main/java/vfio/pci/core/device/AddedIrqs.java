// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.Optional;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.core.irq.IrqTable;

/// The interrupts that mediations add to one device. One that nobody raises any more stays, with who takes it: the next one that adds
/// such an interrupt raises it.
final class AddedIrqs {
    private final IrqTable irqs;
    private final Places<Kind> places = new Places<>();

    /// What tells one from others.
    private record Kind(int count, IrqInfo.Type type) implements Places.Kind<Kind> {
        @Override
        public boolean follows(Kind before) {
            return equals(before);
        }
    }

    AddedIrqs(IrqTable irqs) {
        this.irqs = irqs;
    }

    /// Adds one.
    ///
    /// @param predecessor whose interrupts the owner is to have, if anybody's
    /// @return its index
    int add(Object owner, Optional<?> predecessor, int count, IrqInfo.Type type) {
        return places.take(new Kind(count, type), owner, predecessor, () -> irqs.add(count, type));
    }

    /// The owner has taken over from its predecessor.
    void settle(Object owner) {
        places.settle(owner);
    }

    /// The owner raises nothing any more.
    void leave(Object owner) {
        places.leave(owner);
    }
}
