// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

/// `struct vfio_device_info`, without what is constant for PCI.
///
/// @param resettable `VFIO_DEVICE_FLAGS_RESET`
/// @param regions number of regions; 9 fixed ones and those a mediation added
/// @param irqs number of interrupt indices; 5 fixed ones and those a mediation added
public record DeviceInfo(boolean resettable, int regions, int irqs) {
}
