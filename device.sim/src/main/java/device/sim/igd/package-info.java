// SPDX-License-Identifier: Apache-2.0
/// The simulated integrated graphics device of a Kaby Lake processor: as much of it as a mediator has to do with. Its interrupts, some
/// registers of the render ring and the fences do what they should; nothing is drawn.
package device.sim.igd;
