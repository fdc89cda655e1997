// SPDX-License-Identifier: Apache-2.0
/// What every side of the runtime shares: PCI addresses and ids, error numbers, and what an owned file descriptor is. The
/// contracts themselves stand in the packages beside this one, named by who is on their other side:
/// `device` (a client), `function` (the hardware), `mediation` (a vendor) and `admin` (the people who run it).
@Export
@Version("1.0.0")
package vfio.pci.api;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
