// SPDX-License-Identifier: Apache-2.0
/// The runtime's side of a move: VMMs register at a socket as the clients of their devices, and are told to move when somebody asks.
/// Nothing of a machine passes through here: it goes from VMM to VMM.
package vfio.migrate;
