// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.Optional;

/// One layer of who mediates an open device.
///
/// @param place whom it is declared for: the name of a mediator or a bundle, or `*` for whoever else accepts
/// @param mediator name of who is there
public record MediationLayer(String place, Optional<String> mediator) {
}
