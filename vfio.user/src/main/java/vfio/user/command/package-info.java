// SPDX-License-Identifier: Apache-2.0
/// What each command does: one class per command, which checks the request against its structure and turns it into calls on the device.
/// The table is [Commands].
///
/// In the data path this stands between `vfio.user.session`, which has framed the message, and `VfioDevice` or its port. Nothing a
/// request says is believed before it was compared with the bytes and descriptors that came; an answer is an errno or exactly the bytes
/// the command has.
package vfio.user.command;
