// SPDX-License-Identifier: Apache-2.0
/// How a device reaches memory: IOVA to mapped guest memory. In the data path it stands between a function and guest pages
/// (`function -> DmaSpace -> guest pages, logged when logging is on`). The core implements it once per open device.
@Export
@Version("1.0.0")
package vfio.pci.api.dma;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
