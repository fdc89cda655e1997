// SPDX-License-Identifier: Apache-2.0
/// Reads what ConfigAdmin hands a component, where a wrong value is one clear line and not a stack trace.
package device.sim.settings;
