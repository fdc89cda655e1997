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

    /// The caller has acted on this switch of trapping.
    default void acknowledge(int generation) {
    }

    /// The switch of trapping that the caller has acted on last; 0 before the first.
    default int acknowledged() {
        return 0;
    }
}
