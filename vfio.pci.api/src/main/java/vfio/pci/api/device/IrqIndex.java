// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

/// Fixed interrupt indices, `VFIO_PCI_*_IRQ_INDEX`.
public final class IrqIndex {
    /// `VFIO_PCI_INTX_IRQ_INDEX`.
    public static final int INTX = 0;
    /// `VFIO_PCI_MSI_IRQ_INDEX`.
    public static final int MSI = 1;
    /// `VFIO_PCI_MSIX_IRQ_INDEX`.
    public static final int MSIX = 2;
    /// `VFIO_PCI_ERR_IRQ_INDEX`: the device failed.
    public static final int ERR = 3;
    /// `VFIO_PCI_REQ_IRQ_INDEX`: the device is wanted back.
    public static final int REQ = 4;
    /// `VFIO_PCI_NUM_IRQS`: the first device-specific interrupt.
    public static final int FIRST_SPECIFIC = 5;

    private IrqIndex() {
    }
}
