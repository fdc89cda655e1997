// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.util.List;
import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/// Opens a [BenchDevice] at every address.
final class BenchPci implements VfioPci, DeviceAdmin {
    @Override
    public VfioDevice open(PciAddress address, Client client) {
        return new BenchDevice(address);
    }

    @Override
    public List<DeviceStatus> devices() {
        return List.of();
    }

    @Override
    public DeviceStatus device(PciAddress address) {
        return new DeviceStatus(address, new PciId(0x8086, 0x154C, 0x020000, 1, 0, 0), Optional.empty(), Optional.empty(), List.of(),
            Optional.empty(), false, Optional.empty(), List.of(), List.of());
    }

    @Override
    public List<MediatorStatus> mediators() {
        return List.of();
    }

    @Override
    public AccessStats stats(PciAddress address) {
        return AccessStats.ZERO;
    }
}
