// SPDX-License-Identifier: Apache-2.0
/// The wire of a simulated network card: a switch with a port for each virtual function, an uplink, and a recorder.
///
/// A frame goes from the sender's thread straight into the inbound ring of each port that takes it, and from there into guest memory by
/// the receiver's own thread. So no port ever waits for another: a ring that is full drops, and counts.
///
/// Frames are without frame check sequence. A VLAN tag (802.1Q) is held apart from the frame from the sender's port to the receiver's.
package device.sim.wire;
