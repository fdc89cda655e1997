// SPDX-License-Identifier: Apache-2.0
/// The simulated Intel XL710: a physical function, its virtual functions, and the card that makes them one device.
///
/// What stands where (`VfRegister`, `PfRegister`, `VfFunction`, `PfFunction`) is apart from what it does (`VfRegisters`, `VfInterrupts`,
/// `PfRegisters`). A virtual function's register file is complete; behind it, queues and the mailbox are still missing: tails and rings
/// keep what is written, and nobody fetches.
package device.sim.xl710;
