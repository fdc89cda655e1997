// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.List;
import vfio.pci.api.PciAddress;

/// A mediator, or what is left of one.
///
/// @param name its own
/// @param bundle symbolic name and version of the bundle it comes from
/// @param bundleId id of that bundle
/// @param ranking `service.ranking` when it was registered
/// @param serviceId of the service
/// @param devices devices bound to it
/// @param accepted how often it accepted a device
/// @param refused how often it refused one
/// @param failed how often its open threw
/// @param stuck threads that did not leave it when it went; a mediator that has gone is listed while there are any
public record MediatorStatus(String name, String bundle, long bundleId, int ranking, long serviceId, List<PciAddress> devices,
        long accepted, long refused, long failed, List<StuckThread> stuck) {
    /// Copies the lists.
    public MediatorStatus {
        devices = List.copyOf(devices);
        stuck = List.copyOf(stuck);
    }

    /// A thread that was abandoned inside a mediation.
    ///
    /// @param device whose mediation
    /// @param thread its name
    /// @param stack where it is now, innermost first
    public record StuckThread(PciAddress device, String thread, List<String> stack) {
        /// Copies the list.
        public StuckThread {
            stack = List.copyOf(stack);
        }
    }
}
