// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.List;
import vfio.pci.api.PciAddress;

/// A VMM that takes part: it moves its virtual machine when it is told to.
///
/// @param name what it calls itself
/// @param process its id, as the system says
/// @param devices of the machine, which are moved together
/// @param progress of what it does now; empty when it moves nothing
public record MigratingClient(String name, long process, List<PciAddress> devices, String progress) {
    /// Copies the list.
    public MigratingClient {
        devices = List.copyOf(devices);
    }
}
