// SPDX-License-Identifier: Apache-2.0
package itest;

import java.util.List;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.IrqTrigger;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/**
 * What clients and operators do with one device of a runtime, one after the other, but for resets: a reset waits until the device has let
 * go of the memory it used.
 */
final class OrdinaryUse implements Latencies.Step {
    private final VfioPci vfio;
    private final DeviceAdmin admin;
    private final VfioDevice device;
    private final Registers registers;
    private int turn;

    OrdinaryUse(VfioPci vfio, DeviceAdmin admin, VfioDevice device) throws VfioException {
        this.vfio = vfio;
        this.admin = admin;
        this.device = device;
        this.registers = new Registers(device);
    }

    @Override
    public void run() throws VfioException {
        switch (turn++ % 10) {
            case 0 -> vfio.open(device.address(), Client.standard("second")).close();
            case 1 -> device.info();
            case 2 -> device.regionInfo(RegionIndex.BAR0);
            case 3 -> device.setIrqTriggers(IrqIndex.MSIX, 0, List.of(IrqTrigger.NONE));
            case 4 -> device.disableIrq(IrqIndex.MSIX);
            case 5 -> admin.devices();
            case 6 -> admin.stats(device.address());
            case 7 -> registers.write(Registers.VF_ATQBAH1, turn);
            default -> registers.read(Registers.VFGEN_RSTAT);
        }
    }
}
