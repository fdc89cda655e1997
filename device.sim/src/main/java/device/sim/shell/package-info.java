// SPDX-License-Identifier: Apache-2.0
/// Shell commands of the scope `sim`: the hands and eyes of somebody standing at the machine. What they do to a device happens on its own
/// side, not on that of its driver.
package device.sim.shell;
