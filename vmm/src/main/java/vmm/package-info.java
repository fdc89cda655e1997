// SPDX-License-Identifier: Apache-2.0
/// What a VMM needs to move its virtual machine with the devices that it has over vfio-user: [vmm.Outgoing] on the side that gives,
/// [vmm.Incoming] on the one that takes, each with the VMM's own [vmm.Machine].
///
/// Memory is copied while the machine runs, in rounds of what its devices and processors have reported as written; then it is stopped, the
/// rest and the states of the devices follow, and the machine is given away by a handshake after which exactly one side may use it.
@Export
@Version("1.0.0")
package vmm;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
