// SPDX-License-Identifier: Apache-2.0
/// What an administrator types: Gogo commands of scope `vfio` over the contracts of the API.
///
/// A command parses its arguments itself ([Arguments]), so that a wrong one is answered in one line which names what was expected, and
/// prints to `System.out`, which Gogo directs to the session or the pipe the command runs in. The commands hold nothing between two
/// calls; what is missing in the runtime (no core, no transport) is said when it is needed.
package vfio.pci.shell;
