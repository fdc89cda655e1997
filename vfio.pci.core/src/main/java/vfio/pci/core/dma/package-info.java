// SPDX-License-Identifier: Apache-2.0
/// The device's DMA space: IOVA to the client's memory. In the data path it stands between the function and guest pages.
package vfio.pci.core.dma;
