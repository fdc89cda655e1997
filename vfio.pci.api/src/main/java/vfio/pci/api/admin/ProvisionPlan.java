// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.List;
import java.util.Optional;
import vfio.pci.api.PciAddress;

/// What would happen to bundles and devices.
///
/// @param action what is planned
/// @param subject the bundle, by name and version, with what it becomes
/// @param bundles all bundles that stop or change, the subject first
/// @param devices open devices that lose something, by address
/// @param notes what else there is to know, a sentence each
/// @param state names the state of bundles and devices for which all this was said
public record ProvisionPlan(PlanAction action, String subject, List<AffectedBundle> bundles, List<AffectedDevice> devices,
        List<String> notes, String state) {
    /// Copies the lists.
    public ProvisionPlan {
        bundles = List.copyOf(bundles);
        devices = List.copyOf(devices);
        notes = List.copyOf(notes);
    }

    /// A bundle that stops or changes.
    ///
    /// @param bundle symbolic name and version
    /// @param bundleId its id; none for one that is not installed yet
    /// @param effect one word: `installed`, `updated`, `uninstalled` or `refreshed`
    public record AffectedBundle(String bundle, Optional<Long> bundleId, String effect) {
    }

    /// An open device that loses its mediator, its function, the core, or its transport.
    ///
    /// @param address the device
    /// @param clients who has it open
    /// @param loses what it loses, with the bundle that is of
    /// @param follows what the device does then, a policy's name
    public record AffectedDevice(PciAddress address, List<String> clients, String loses, String follows) {
        /// Copies the list.
        public AffectedDevice {
            clients = List.copyOf(clients);
        }
    }
}
