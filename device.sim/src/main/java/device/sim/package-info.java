// SPDX-License-Identifier: Apache-2.0
/// Simulated hardware: publishes PCI functions that behave as the real devices do at their registers. Nothing outside this bundle knows
/// that they are simulated.
///
/// `bus` publishes functions, `function` is a function whatever it simulates, `configspace` and `register` are what it is made of, and each
/// device has a package of its own: `xl710`, `igd`.
package device.sim;
