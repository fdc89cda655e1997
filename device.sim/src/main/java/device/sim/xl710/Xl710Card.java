// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.bus.Card;
import device.sim.configspace.ExtendedCapabilities.VirtualFunctions;
import device.sim.function.SimulatedFunction;
import device.sim.wire.Port;
import device.sim.wire.Switch;
import device.sim.xl710.engine.DoorbellWatch;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import vfio.pci.api.PciAddress;

/// A card: one physical function and its virtual ones, and the switch that connects them.
final class Xl710Card implements Card {
    private final List<SimulatedFunction> functions = new ArrayList<>();
    private final Switch wire;
    private final DoorbellWatch watch;

    /// Builds the functions; none is plugged in yet.
    Xl710Card(Xl710Layout layout, VfSettings settings) {
        PciAddress address = layout.address();
        wire = new Switch(layout.virtualFunctions());
        watch = new DoorbellWatch("xl710-doorbells-" + address);
        List<VfModel> models = IntStream.range(0, layout.virtualFunctions()).mapToObj(i -> virtualFunction(layout, settings, i)).toList();
        // Their sizes, which are the same whatever may be mapped.
        VirtualFunctions virtual = new VirtualFunctions(models.size(), layout.offset(), layout.stride(), layout.virtualDevice(),
            VfFunction.bars(true));
        PfModel physical = new PfModel(address, PfFunction.configSpace(address, layout.device(), virtual), models, watch,
            WireRecording.ofCard(wire));
        functions.add(new SimulatedFunction(PfFunction.description(address, layout.device()), physical));
        for (int i = 0; i < models.size(); i++) {
            functions.add(new SimulatedFunction(VfFunction.description(layout.virtualAddress(i), layout.virtualDevice(), address,
                settings.mappedDoorbells(i)), models.get(i)));
        }
    }

    private VfModel virtualFunction(Xl710Layout layout, VfSettings settings, int index) {
        Port port = wire.port(index);
        port.defaultAddress(settings.firstAddress() + index);
        return new VfModel(new VfPlace("xl710-" + layout.virtualAddress(index), layout.virtualDevice(), settings.identity(),
            settings.mappedDoorbells(index), port, watch, WireRecording.ofPort(wire, index)));
    }

    @Override
    public List<SimulatedFunction> functions() {
        return List.copyOf(functions);
    }

    /// What connects the virtual functions.
    Switch wire() {
        return wire;
    }

    /// Ends the uplink and the card's own thread. All functions have been plugged out.
    @Override
    public void close() {
        wire.close();
        watch.close();
    }
}
