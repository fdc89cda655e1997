// SPDX-License-Identifier: Apache-2.0
/// What stands for hardware: a PCI function with its config space, BARs and interrupts, simulated or real.
///
/// In the data path this is the last stop of an access (`... -> region -> PciFunction`) and the first of a DMA
/// (`function -> DmaSpace -> guest pages`). A provider publishes each function as an OSGi service; whoever drives it binds it
/// exclusively and lends it what must outlive it: BAR memory, the DMA space, the way to raise interrupts.
@Export
@Version("1.0.0")
package vfio.pci.api.function;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
