// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

import java.util.Set;

/// Who opens a device, and what it can do beyond standard VFIO.
///
/// @param name shown to people, as `qemu /run/vm1.sock`
/// @param features what it takes part in
public record Client(String name, Set<Feature> features) {
    /// What a client may take part in.
    public enum Feature {
        /// Understands the capability that says which areas of a sparse-mmap list can be switched to trapped at run time, and unmaps them
        /// when told. It says that it has by the dynamic-trap-bar-info region.
        DISABLABLE_AREAS,
        /// Lives in this process, so that an event can be named by an id got from [VfioDevice#registerEvent].
        EVENT_IDS
    }

    /// Copies the set.
    public Client {
        features = Set.copyOf(features);
    }

    /// A client with standard VFIO only.
    public static Client standard(String name) {
        return new Client(name, Set.of());
    }

    /// Whether it takes part in this.
    public boolean has(Feature feature) {
        return features.contains(feature);
    }
}
