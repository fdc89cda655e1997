// SPDX-License-Identifier: Apache-2.0
/// What a vendor implements: a [vfio.pci.api.mediation.MediateOps] service that is asked when a device opens, and the
/// [vfio.pci.api.mediation.Mediation] it answers with, which sees the accesses it claims until the device closes.
///
/// In the data path a mediation stands behind the gate and before the regions: `DevicePort -> claim? -> gate -> Mediation -> verdict
/// PASS_THROUGH -> region -> PciFunction`.
@Export
@Version("1.1.0")
package vfio.pci.api.mediation;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
