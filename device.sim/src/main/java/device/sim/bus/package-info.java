// SPDX-License-Identifier: Apache-2.0
/// Where simulated functions are plugged in and out: publishes them as `PciFunction` services and keeps their `driver` property true.
package device.sim.bus;
