// SPDX-License-Identifier: Apache-2.0
/// The vfio-user server: an OSGi component that serves devices on UNIX sockets, one client at a time each, all by one loop thread.
///
/// In the data path this is where a guest's access enters the runtime: `socket -> vfio.user.loop -> vfio.user.session ->
/// vfio.user.command -> DevicePort`.
package vfio.user;
