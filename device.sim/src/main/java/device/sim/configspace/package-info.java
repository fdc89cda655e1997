// SPDX-License-Identifier: Apache-2.0
/// The raw config space of a simulated function: its bytes, which bits a write changes, and the capability lists.
///
/// In the data path this is the end of a config access. The virtual copy that a guest sees is the core's; this is what the hardware holds.
/// Layouts are those of the PCI Express Base Specification, revision 3.1, chapter 7, and of the PCI Local Bus Specification 3.0, chapter 6.
package device.sim.configspace;
