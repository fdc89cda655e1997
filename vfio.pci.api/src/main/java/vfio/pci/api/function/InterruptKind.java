// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.function;

/// The kinds of interrupt a PCI function has.
public enum InterruptKind {
    /// Level-triggered pin.
    INTX,
    /// Message signalled.
    MSI,
    /// Message signalled, with a table in a BAR.
    MSIX
}
