// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// What went wrong in the queues of a virtual function since it was made.
///
/// @param malicious queues stopped for what hardware calls a malicious driver event
/// @param dmaFaults reads and writes of memory that could not be reached
/// @param stoppedRx a bit for each receive queue that is enabled and stopped
/// @param stoppedTx a bit for each transmit queue that is enabled and stopped
/// @param last why the last queue was stopped
public record QueueFaults(long malicious, long dmaFaults, int stoppedRx, int stoppedTx, StopReason last) {
}
