// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.function.SimulatedFunction;
import java.util.List;
import vfio.pci.api.PciAddress;

/// A card whose functions are there without a framework.
final class TestCard {
    private final List<SimulatedFunction> functions;

    TestCard(Xl710Layout layout) {
        functions = new Xl710Card(layout).functions();
        functions.forEach(function -> function.appear(() -> { }));
    }

    static TestCard standard() {
        return new TestCard(new Xl710Layout(PciAddress.parse("0000:3b:00.0"), 0x1583, 4, 0x154C, 16, 1));
    }

    SimulatedFunction physicalFunction() {
        return functions.getFirst();
    }

    SimulatedFunction virtualFunction(int index) {
        return functions.get(1 + index);
    }

    List<SimulatedFunction> functions() {
        return functions;
    }
}
