// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import vfio.pci.core.gate.GateSlot;

/// The ways of one port into the layers, each made when the port first goes there. Only for the port's thread, but for [#retire()].
final class PortPassages implements Descent.Traveller {
    private final AccessCounters counters;
    private final List<Passage> all = new CopyOnWriteArrayList<>();
    private volatile boolean retired;

    /// @param ofBase the port's way into the base layer
    PortPassages(AccessCounters counters, Layer base, GateSlot ofBase) {
        this.counters = counters;
        all.add(new Passage(base, ofBase));
    }

    @Override
    public Passage into(Layer layer) {
        for (int i = 0; i < all.size(); i++) {
            Passage passage = all.get(i);
            if (passage.layer() == layer) {
                return passage;
            }
        }
        Passage added = new Passage(layer, layer.gate().slot());
        all.add(added);
        if (retired) {
            retire();
        }
        return added;
    }

    @Override
    public void leave(Passage passage) {
    }

    @Override
    public void seen() {
        counters.countMediated();
    }

    /// The port is closed: nobody goes in by it any more.
    void retire() {
        retired = true;
        all.forEach(passage -> passage.layer().gate().remove(passage.slot()));
    }
}
