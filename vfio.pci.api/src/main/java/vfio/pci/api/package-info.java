// SPDX-License-Identifier: Apache-2.0
/**
 * Contracts only: what a client of a PCI device sees, what a mediator implements, and what stands for hardware.
 */
@Export
@Version("1.0.0")
package vfio.pci.api;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
