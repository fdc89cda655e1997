// SPDX-License-Identifier: Apache-2.0
/// The open device: what a client holds, what it owns on behalf of code that may come and go, and the path of an access through it.
///
/// In the data path: `DevicePort (AccessPort) -> claim? -> gate -> Binding -> verdict PASS_THROUGH -> Region`.
///
/// Where several mediations are declared, each is a [vfio.pci.core.device.Layer], and an access goes down those that claim it
/// ([vfio.pci.core.device.Descent]).
///
/// Locks: a device's *turn* serialises what changes it (open, bind, reset, migration state, close); it is the order in which these happen
/// rather than a guard of data, it is held while a mediator or function is called, and it is only ever waited for with a bound where a
/// mediator goes. Guards of data are leaves: nothing is called under them.
package vfio.pci.core.device;
