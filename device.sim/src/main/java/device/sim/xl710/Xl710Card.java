// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.configspace.ExtendedCapabilities.VirtualFunctions;
import device.sim.function.SimulatedFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import vfio.pci.api.PciAddress;

/// A card: one physical function and its virtual ones.
final class Xl710Card {
    private final List<SimulatedFunction> functions = new ArrayList<>();

    /// Builds the functions; none is plugged in yet.
    Xl710Card(Xl710Layout layout) {
        PciAddress address = layout.address();
        List<VfModel> models = Stream.generate(() -> new VfModel(layout.virtualDevice())).limit(layout.virtualFunctions()).toList();
        VirtualFunctions virtual = new VirtualFunctions(models.size(), layout.offset(), layout.stride(), layout.virtualDevice(),
            VfFunction.BARS);
        PfModel physical = new PfModel(address, PfFunction.configSpace(address, layout.device(), virtual), models);
        functions.add(new SimulatedFunction(PfFunction.description(address, layout.device()), physical));
        for (int i = 0; i < models.size(); i++) {
            functions.add(new SimulatedFunction(VfFunction.description(layout.virtualAddress(i), layout.virtualDevice(), address),
                models.get(i)));
        }
    }

    /// The physical function first, then the virtual ones in order.
    List<SimulatedFunction> functions() {
        return List.copyOf(functions);
    }
}
