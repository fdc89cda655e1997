// SPDX-License-Identifier: Apache-2.0
/// What a runtime was started for, told on its command line by framework properties: serving devices in the foreground, or running one
/// command and ending. Without them this does nothing.
///
/// - `vfio.serve`: lines of text, an address and a place in turn: a socket's path, or `fd:N` for a listening socket that the process was
///   started with. When the framework has started, all addresses are checked, then each device is served, and a line
///   `serving ADDRESS on SOCKET` (or `on fd N`) printed when a client may connect. If one cannot be, the reason is
///   printed to standard error and the process ends with exit code 3.
/// - `vfio.command`: a Gogo command, run when the framework has started; the process ends with its exit code.
/// - `vfio.until.eof`: `true` ends the process with exit code 0 at the end of its standard input, which whoever started it holds open.
package vfio.pci.shell.launch;
