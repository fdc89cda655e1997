// SPDX-License-Identifier: Apache-2.0
/// A simulated PCI function, whatever it simulates: exclusive binding, what its driver lends, the split of a BAR into memory and
/// registers, reset. In the data path this is where `BoundFunction` calls of a driver arrive; behind it stand the devices, each a
/// [device.sim.function.DeviceModel] in a package of its own.
package device.sim.function;
