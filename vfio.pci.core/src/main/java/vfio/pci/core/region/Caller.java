// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import java.util.Optional;

/// Who accesses a region: a client, or code below any client.
@FunctionalInterface
public interface Caller {
    /// Nobody in particular; knows no events.
    Caller NOBODY = id -> Optional.empty();

    /// The event that this caller registered under an id.
    Optional<Runnable> event(int id);
}
