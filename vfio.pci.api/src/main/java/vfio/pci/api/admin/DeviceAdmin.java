// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;

/// Lists what the core knows. An OSGi service of the core; may be called by any thread.
@ProviderType
public interface DeviceAdmin {
    /// All functions, by address, open or not.
    List<DeviceStatus> devices();

    /// The function at an address.
    ///
    /// @throws VfioException ENODEV when there is none; the message lists the known ones
    DeviceStatus device(PciAddress address) throws VfioException;

    /// All mediators, in the order they are asked.
    List<MediatorStatus> mediators();

    /// Counters of the device since it was opened; of the last time, for one that is not open, and zeroes if it never was.
    ///
    /// @throws VfioException ENODEV when there is no such function; the message lists the known ones
    AccessStats stats(PciAddress address) throws VfioException;
}
