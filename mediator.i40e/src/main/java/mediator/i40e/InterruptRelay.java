// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import vfio.pci.api.PciAddress;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.migration.DirtyLog;

/// Strategy `interrupt-relay`.
final class InterruptRelay extends DirtyTracking {
    InterruptRelay(PciAddress device, MediationContext context, VfSight sight) {
    }

    @Override
    void begin(DirtyLog log) {
    }
}
