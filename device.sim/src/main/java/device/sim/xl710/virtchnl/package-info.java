// SPDX-License-Identifier: Apache-2.0
/// virtchnl 1.1: how a virtual function's driver asks its physical function for everything that is not a register, by messages through the
/// mailbox. On hardware the physical function's driver answers; here the card's firmware does, so that a virtual function works whoever
/// drives the physical one.
///
/// `Opcode`, `Status`, `Capability` and `Event` are the protocol's words, `Request` reads a message and `Reply` writes one. `Session` is
/// what one virtual function agreed on, and says of each message what it does. Names, numbers, layouts: `virtchnl.h` of Intel's Linux
/// drivers.
package device.sim.xl710.virtchnl;
