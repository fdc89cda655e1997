// SPDX-License-Identifier: Apache-2.0
/// The virtual copy of config space that a client sees, and the table that says which bits of it are the client's to write, which are kept
/// here, and which are the hardware's. Follows Linux's `vfio_pci_config.c` in what it lets through.
///
/// In the data path: `port -> claim? -> ConfigRegion -> ConfigSpace -> raw config space of the function`.
package vfio.pci.core.config;
