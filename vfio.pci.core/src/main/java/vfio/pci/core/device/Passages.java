// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// Ways into a layer for threads that come from the layer above, which may be anybody's: as many as there were threads at a time.
final class Passages {
    private final Layer layer;
    private final List<Passage> all = new CopyOnWriteArrayList<>();

    Passages(Layer layer) {
        this.layer = layer;
    }

    /// One for the calling thread, until it is given back.
    Passage take() {
        for (int i = 0; i < all.size(); i++) {
            Passage passage = all.get(i);
            if (passage.take()) {
                return passage;
            }
        }
        Passage added = new Passage(layer, layer.gate().slot());
        all.add(added);
        return added;
    }
}
