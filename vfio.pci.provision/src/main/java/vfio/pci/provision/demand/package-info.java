// SPDX-License-Identifier: Apache-2.0
/// Loading on demand: a device is opened that nobody mediates, and the repository has somebody for it; and unloading what is not used any
/// more.
package vfio.pci.provision.demand;
