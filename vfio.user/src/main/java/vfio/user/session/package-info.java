// SPDX-License-Identifier: Apache-2.0
/// One client's connection: takes messages out of the byte stream with the descriptors that belong to them, has them carried out one by
/// one, and sends the answers, each as one piece. It never waits: what the client does not read stays in the one answer buffer, and
/// nothing is read from the client until that is gone. While one request is stuck in the device, `Meanwhile` attends to the client and
/// `Aside` carries out what the device waits for; while the device is held, the connection is parked.
///
/// In the data path this stands between the socket (`vfio.user.loop` says when it is ready) and `vfio.user.command`.
package vfio.user.session;
