// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

import org.osgi.annotation.versioning.ProviderType;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;

/// Opens devices. An OSGi service of the core.
@ProviderType
public interface VfioPci {
    /// Opens the function at an address. The first open binds the function to the driver `vfio-pci` and asks the mediators in
    /// registration order; further opens share the device and its mediation. Blocks while mediators are asked. Not for loop threads
    /// that serve other devices.
    ///
    /// @throws VfioException ENODEV when no such function exists (the message lists the known ones); EBUSY when another driver has it
    VfioDevice open(PciAddress address, Client client) throws VfioException;
}
