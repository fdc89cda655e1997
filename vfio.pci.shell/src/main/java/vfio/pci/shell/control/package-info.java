// SPDX-License-Identifier: Apache-2.0
/// The control socket: Gogo commands from other processes of the same user.
///
/// Protocol. Both sides send frames: one byte that says what it is, the length of the rest as an unsigned 32-bit big-endian number, and
/// that many bytes ([FrameKind]). The client sends one frame, COMMAND, UTF-8 text of at most [FrameKind#MAX_COMMAND] bytes, within
/// [ControlServer#COMMAND_TIMEOUT]. The server answers with any number of OUT and ERR frames, as the command prints, then EXIT with one
/// byte, the exit code: 0, or 3 when the command failed, whose reason is the last ERR frame. Then it closes the connection. At most
/// [ControlServer#WORKERS] commands run at a time; more are answered with an error at once. A client that goes, or takes nothing for
/// [ControlServer#WRITE_TIMEOUT], loses the output; the command itself is left to end.
///
/// The socket has mode 0600 from the first moment ([SocketFile]): whoever may connect is the runtime's own user, who could as well
/// have been at its prompt.
package vfio.pci.shell.control;
