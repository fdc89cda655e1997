// SPDX-License-Identifier: Apache-2.0
/// Live migration of a device: what a vendor implements once ([vfio.pci.api.migration.MigrationDriver]) and what a client drives
/// ([vfio.pci.api.migration.Migration]).
///
/// The core stands between the two: it owns the state machine, the stream and the dirty log, and shows them as the proposal's region and as
/// the device features of Linux's migration protocol v2.
@Export
@Version("1.0.0")
package vfio.pci.api.migration;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
