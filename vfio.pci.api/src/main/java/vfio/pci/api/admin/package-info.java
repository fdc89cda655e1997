// SPDX-License-Identifier: Apache-2.0
/// What administers the runtime: listing devices and mediators, counters, serving devices on sockets, moving machines, loading and changing
/// bundles. Used by the shell; implemented by the core, by a transport and by who provisions or moves. Everything here is a snapshot and
/// holds nothing of a mediator.
@Export
@Version("1.1.0")
package vfio.pci.api.admin;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
