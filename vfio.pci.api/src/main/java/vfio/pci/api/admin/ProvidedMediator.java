// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;

/// A bundle that was loaded because a device was opened.
///
/// @param bundle symbolic name and version
/// @param bundleId its id
/// @param device for which it was loaded
/// @param id what that device is
/// @param why what made it the one: the capability that fits, or a preference
/// @param source the jar it came from
public record ProvidedMediator(String bundle, long bundleId, PciAddress device, PciId id, String why, String source) {
}
