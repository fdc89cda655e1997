// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.time.Duration;

/// How far a virtual machine that is being moved has come.
///
/// @param step what is done now, in words of the VMM
/// @param round copies of memory so far, 1 for the first
/// @param pagesLeft pages of 4 KiB that are known to differ
/// @param bytesPerSecond as measured; 0 when nothing was sent yet
/// @param expectedDowntime if it were stopped now
public record MigrationProgress(String step, int round, long pagesLeft, long bytesPerSecond, Duration expectedDowntime) {
}
