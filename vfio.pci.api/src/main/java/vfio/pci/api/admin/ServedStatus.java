// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.nio.file.Path;
import java.util.Optional;
import vfio.pci.api.PciAddress;

/// A served device.
///
/// @param address the device
/// @param socket where
/// @param client who is connected
/// @param requests requests of that client so far
/// @param errors those of them that failed
/// @param traffic all that passed since serving began
public record ServedStatus(PciAddress address, Path socket, Optional<String> client, long requests, long errors, ServedTraffic traffic) {
}
