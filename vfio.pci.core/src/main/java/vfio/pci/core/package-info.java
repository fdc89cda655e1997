// SPDX-License-Identifier: Apache-2.0
/**
 * Stands between a client and a function: opens devices, binds mediations, gates and dispatches their accesses.
 */
package vfio.pci.core;
