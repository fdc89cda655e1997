// SPDX-License-Identifier: Apache-2.0
/// Registers behind a BAR: what lies where ([device.sim.register.RegisterMap]), and how an access of any width and alignment becomes
/// accesses of single 32-bit registers ([device.sim.register.RegisterFile]). What a register does is said by the devices.
package device.sim.register;
