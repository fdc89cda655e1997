// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import vfio.pci.api.mediation.DmaWindow;

/// DMA windows that a rule is about: those that have a byte in the addresses, and a size among these.
///
/// @param first least address, unsigned
/// @param last greatest address, unsigned
record Windows(long first, long last, Values sizes) implements Rule.Target {
    boolean include(Direction direction, DmaWindow window) {
        return (direction != Direction.READ || window.readable()) && (direction != Direction.WRITE || window.writable())
            && Long.compareUnsigned(window.iova(), last) <= 0 && Long.compareUnsigned(first, window.last()) <= 0
            && (sizes == Values.ANY || sizes.include(window.size()));
    }
}
