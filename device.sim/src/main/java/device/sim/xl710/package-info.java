// SPDX-License-Identifier: Apache-2.0
/// The simulated Intel XL710: a physical function, its virtual functions, and the card that makes them one device.
///
/// What stands where (`VfRegister`, `PfRegister`, `VfFunction`, `PfFunction`) is apart from what it does (`VfRegisters`, `VfInterrupts`,
/// `PfRegisters`). Behind a virtual function's registers are its mailbox, its virtchnl session and its queues, each a package of its own,
/// which `VfModel` puts together; `VfReset` is the way through a reset, `VfHost` what its host decides, `VfState` all of it as one value.
/// The physical function's firmware is `PfCommands`.
package device.sim.xl710;
