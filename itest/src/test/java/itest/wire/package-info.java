// SPDX-License-Identifier: Apache-2.0
/// A codec and a client of vfio-user of the tests' own, written from the protocol's document and sharing nothing with the server's: a
/// mistake made there is not made here as well. What is encoded can be wrong in any way. Beside it stands
/// what serves a device for a test and counts what the process holds.
package itest.wire;
