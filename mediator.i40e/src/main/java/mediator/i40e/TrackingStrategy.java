// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import vfio.pci.api.PciAddress;
import vfio.pci.api.mediation.MediationContext;

/// How pages are found out that a virtual function writes.
@FunctionalInterface
interface TrackingStrategy {
    /// For one open device, of which nothing is tracked yet.
    DirtyTracking of(PciAddress device, MediationContext context, VfSight sight);
}
