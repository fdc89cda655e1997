// SPDX-License-Identifier: Apache-2.0
/**
 * Simulated hardware: publishes PCI functions that behave as the real devices do at their registers.
 */
package device.sim;
