// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.function.SimulatedFunction;
import java.util.List;
import vfio.pci.api.PciAddress;

/// Cards for the tests of other packages.
public final class CardFactory {
    private CardFactory() {
    }

    /// A card with virtual functions at offset 16 and stride 1.
    public static List<SimulatedFunction> card(String address, int virtualFunctions) {
        Xl710Layout layout = new Xl710Layout(PciAddress.parse(address), 0x1583, virtualFunctions, 0x154C, 16, 1);
        return new Xl710Card(layout, VfSettings.standard(layout.address().routingId())).functions();
    }
}
