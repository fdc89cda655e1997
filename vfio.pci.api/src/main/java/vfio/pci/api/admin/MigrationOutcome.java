// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.time.Duration;

/// How it ended when a virtual machine was to be moved, or might have been.
///
/// @param use which side's devices may be used
/// @param done whether what was ordered has happened: the machine was moved, or would be
/// @param message why not; what was found out by a dry run; else empty
/// @param rounds copies of memory, 1 for the first
/// @param pages of 4 KiB that were sent
/// @param bytes that were sent
/// @param downtime how long the machine stood; what is expected, for a dry run
public record MigrationOutcome(Whereabouts use, boolean done, String message, int rounds, long pages, long bytes, Duration downtime) {
    /// One in which nothing was sent.
    public static MigrationOutcome nothing(Whereabouts use, String message) {
        return new MigrationOutcome(use, false, message, 0, 0, 0, Duration.ZERO);
    }
}
