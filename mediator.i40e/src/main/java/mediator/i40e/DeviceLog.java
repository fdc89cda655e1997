// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import vfio.pci.api.VfioException;
import vfio.pci.api.migration.DirtyLog;

/// Strategy `device-log`: every transfer of the device is logged where it passes, in the core's DMA map, as an IOMMU with dirty bits or a
/// device with a log of its own would do it.
///
/// Assumes nothing of the guest. Marks no page that was not written.
final class DeviceLog extends DirtyTracking {
    @Override
    void begin(DirtyLog log) throws VfioException {
        log.markTransfers(true);
    }
}
