// SPDX-License-Identifier: Apache-2.0
/// The migration engine of one open device: which state follows on which (`StateGraph`), what a mediator is asked on the way and what a
/// client reads and writes meanwhile (`MigrationEngine`), how the state travels (`StreamWriter`, `StreamReader`), and which pages the
/// device wrote (`DirtyPages`).
///
/// Both faces stand on it: the proposal's region and the device features of Linux. It knows no vendor: what is the vendor's is behind
/// [vfio.pci.api.migration.MigrationDriver], called through the binding's guard.
package vfio.pci.core.migration;
