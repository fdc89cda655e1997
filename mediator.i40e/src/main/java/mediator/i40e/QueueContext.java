// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

/// The rings of a queue pair as the device has them at one moment.
///
/// @param transmit ring of descriptors of 16 bytes
/// @param transmitting whether it is enabled
/// @param receive ring of descriptors of 32 bytes
/// @param receiving whether it is enabled
/// @param receiveHead what the device fills next: what is before it was written, its descriptors too
/// @param receiveTail what the driver handed over last
record QueueContext(RingPlace transmit, boolean transmitting, RingPlace receive, boolean receiving, int receiveHead, int receiveTail) {
}
