// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.function;

import org.osgi.annotation.versioning.ConsumerType;

/// Where a function sends its interrupts: implemented by its driver. May be called by any thread, also from within a register access;
/// never blocks and never calls the function back.
@ConsumerType
public interface Interrupts {
    /// Sends one message-signalled interrupt.
    ///
    /// @param kind [InterruptKind#MSI] or [InterruptKind#MSIX]
    /// @param vector from 0
    /// @return whether somebody took it; if not, the function may keep it pending until [BoundFunction#vectorEnabled]
    boolean raise(InterruptKind kind, int vector);

    /// Sets the level of the INTx pin. The driver masks and signals as it sees fit; a level that stays set is signalled again on unmask.
    void intx(boolean asserted);
}
