// SPDX-License-Identifier: Apache-2.0
/// Admin queues of the XL710: a ring by which a driver sends commands (ATQ) and one by which the device sends messages (ARQ), both of
/// 32-byte descriptors in the driver's memory. The mailbox of a virtual function and the admin queue of the physical one are the same thing
/// behind different registers.
///
/// `Ring` is what the registers say, `Descriptor` what lies in memory, `AdminQueues` what the device does with both, on its engine's
/// thread. What a command means is said by who implements `Commands`. Layouts and rules: Intel Ethernet Controller X710/XXV710/XL710
/// Datasheet, section "Admin queue", and `i40e_adminq_cmd.h` of Intel's Linux driver.
package device.sim.xl710.mailbox;
