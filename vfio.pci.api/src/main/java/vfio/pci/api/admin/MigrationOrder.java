// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.time.Duration;
import java.util.Objects;

/// Where a virtual machine is to go, and how.
///
/// @param to an absolute path of a UNIX socket, or `tcp://HOST:PORT`
/// @param dryRun whether to ask only: nothing is moved, and the machine runs on
/// @param maxDowntime the machine is stopped once it is expected to stand no longer than that
public record MigrationOrder(String to, boolean dryRun, Duration maxDowntime) {
    /// What a machine may stand still when nothing else is said.
    public static final Duration USUAL_DOWNTIME = Duration.ofMillis(300);

    /// Checks the time.
    ///
    /// @throws IllegalArgumentException naming what is wrong
    public MigrationOrder {
        Objects.requireNonNull(to, "to");
        if (maxDowntime.isNegative() || maxDowntime.isZero()) {
            throw new IllegalArgumentException("max-downtime=%s expected=more than 0".formatted(maxDowntime));
        }
    }
}
