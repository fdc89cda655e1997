// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

/// Counters of an open device. Each access is counted once, as mediated or as passed through.
///
/// @param mediated accesses that entered a mediation, whatever its verdict
/// @param passedThrough accesses that no mediation saw
/// @param trapped of all of these, those into an area that can be mapped but is trapped now
/// @param interrupts interrupts somebody took
/// @param errors accesses that failed
/// @param dmaBytesRead bytes the device read from memory
/// @param dmaBytesWritten bytes the device wrote to memory
/// @param dmaFaults transfers that failed
public record AccessStats(long mediated, long passedThrough, long trapped, long interrupts, long errors, long dmaBytesRead,
        long dmaBytesWritten, long dmaFaults) {
    /// Nothing happened yet.
    public static final AccessStats ZERO = new AccessStats(0, 0, 0, 0, 0, 0, 0, 0);
}
