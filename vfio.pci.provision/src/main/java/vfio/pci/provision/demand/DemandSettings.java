// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.demand;

import java.time.Duration;
import java.util.Optional;
import vfio.pci.provision.repository.Repository;

/// How mediators are loaded and unloaded.
///
/// @param repository where they come from
/// @param longest how long an open waits for one
/// @param idle after how long without a device one is uninstalled; none: never
public record DemandSettings(Repository repository, Duration longest, Optional<Duration> idle) {
}
