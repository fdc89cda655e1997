// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.OwnedFd;
import vfio.pci.api.function.Doorbell;

/// A doorbell and the event that rings it.
///
/// @param fd of an eventfd, lent: good as long as the connection
public record DoorbellEvent(Doorbell doorbell, OwnedFd fd) {
}
