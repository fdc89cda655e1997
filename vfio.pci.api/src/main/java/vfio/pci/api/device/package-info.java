// SPDX-License-Identifier: Apache-2.0
/// What a client of a device sees: open by address, infos, regions, maps, interrupts, DMA, reset. The shape is that of Linux VFIO
/// (`include/uapi/linux/vfio.h`); names keep its spelling without the prefix.
///
/// In the data path this is where a guest's access enters the runtime: `vfio.user session -> DevicePort -> claim? -> gate -> ...`.
/// The core implements it.
@Export
@Version("1.0.0")
package vfio.pci.api.device;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
