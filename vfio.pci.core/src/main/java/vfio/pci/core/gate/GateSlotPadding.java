// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

/// Keeps what the fields of a slot share a cache line with away from them: a superclass's fields are laid out first.
abstract class GateSlotPadding {
    @SuppressWarnings("unused")
    private long p0, p1, p2, p3, p4, p5, p6, p7;
}
