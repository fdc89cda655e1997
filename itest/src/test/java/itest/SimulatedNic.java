// SPDX-License-Identifier: Apache-2.0
package itest;

import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.DeviceAdmin;

/** Where the functions of the simulated XL710 are as long as nobody configures it otherwise. */
public final class SimulatedNic {
    public static final PciAddress PF = PciAddress.parse("0000:3b:00.0");
    public static final PciAddress VF0 = PciAddress.parse("0000:3b:02.0");
    public static final PciAddress VF1 = PciAddress.parse("0000:3b:02.1");
    public static final PciAddress VF2 = PciAddress.parse("0000:3b:02.2");
    public static final PciAddress VF3 = PciAddress.parse("0000:3b:02.3");

    private SimulatedNic() {
    }

    /** Returns when the core knows all its functions. */
    public static void await(DeviceAdmin admin) throws Exception {
        Await.until("the last of the NIC's functions appears",
            () -> admin.devices().stream().anyMatch(device -> device.address().equals(VF3)));
    }
}
