// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/// `struct vfio_irq_info`.
///
/// @param index the interrupt
/// @param count its vectors; 0 when the device has none of this kind
/// @param flags what can be done with it
/// @param type what a device-specific one is
public record IrqInfo(int index, int count, Set<Flag> flags, Optional<Type> type) {
    /// `VFIO_IRQ_INFO_*`.
    public enum Flag {
        /// `VFIO_IRQ_INFO_EVENTFD`.
        EVENTFD,
        /// `VFIO_IRQ_INFO_MASKABLE`.
        MASKABLE,
        /// `VFIO_IRQ_INFO_AUTOMASKED`.
        AUTOMASKED,
        /// `VFIO_IRQ_INFO_NORESIZE`.
        NORESIZE
    }

    /// What a device-specific interrupt is.
    ///
    /// @param type u32
    /// @param subtype u32
    public record Type(int type, int subtype) {
        /// Signalled when the `trap` field of the dynamic-trap-bar-info region changed; numbered as that region is.
        public static final Type DYNAMIC_TRAP_BAR_INFO = new Type(4, 1);
        /// Vector n is signalled when region n is to be described again, for its mappable areas changed: areas that trap are not among
        /// them. A number of our own, beside that of the proposal's interrupt.
        public static final Type REGION_AREAS = new Type(4, 2);
    }

    /// Checks and copies.
    public IrqInfo {
        if (index < 0 || count < 0) {
            throw new IllegalArgumentException("irq=%d count=%d expected=not negative".formatted(index, count));
        }
        flags = flags.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(flags));
    }
}
