// SPDX-License-Identifier: Apache-2.0
/// A fuzzer of the vfio-user server, seeded: sessions recorded of QEMU and sessions made up, changed in ways that know the messages, played
/// against the runtime. What the server has to answer is worked out from the bytes that were sent, by a model of the framing alone.
///
/// `Session` is made of `Outgoing` messages by `Recorded` or `Invented`, and changed by `Mutations`; a `Player` plays it and judges;
/// `FuzzIT` counts what is left when all are played.
package itest.fuzz;
