// SPDX-License-Identifier: Apache-2.0
/// The queue pairs of a simulated XL710 virtual function: descriptor rings in guest memory, transmit offloads, receive distribution and
/// write-back. Behind the tail registers, before the switch ([device.sim.wire]).
///
/// What a descriptor may hold is in `TxDescriptor` and `RxDescriptor`; what is done with it in `TxQueue` and `RxQueue`. Nothing is
/// allocated for a frame or a descriptor.
package device.sim.xl710.queue;
