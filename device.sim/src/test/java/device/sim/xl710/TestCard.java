// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.function.SimulatedFunction;
import java.util.List;
import java.util.Set;
import vfio.pci.api.PciAddress;

/// A card whose functions are there without a framework.
final class TestCard {
    private static final Xl710Layout LAYOUT = new Xl710Layout(PciAddress.parse("0000:3b:00.0"), 0x1583, 4, 0x154C, 16, 1);

    private final List<SimulatedFunction> functions;

    TestCard(Xl710Layout layout) {
        this(layout, VfSettings.standard(layout.address().routingId()));
    }

    TestCard(Xl710Layout layout, VfSettings settings) {
        functions = new Xl710Card(layout, settings).functions();
        functions.forEach(function -> function.appear(() -> { }));
    }

    static TestCard standard() {
        return new TestCard(LAYOUT);
    }

    /// One whose tails may not be mapped.
    static TestCard trapped() {
        return trapped(Set.of(0, 1, 2, 3));
    }

    /// One where the tails of some functions may not be mapped.
    static TestCard trapped(Set<Integer> functions) {
        VfSettings standard = VfSettings.standard(LAYOUT.address().routingId());
        return new TestCard(LAYOUT, new VfSettings(standard.queuePairs(), standard.speed(), standard.firstAddress(), functions));
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
