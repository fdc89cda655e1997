// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import vfio.pci.core.binding.MediatorStack;

/// Which of the layers that a device has get which of the places that are declared anew: a place goes to the layer of the mediator that it
/// is meant for, then to that which had it.
final class LayerOrder {
    private final List<String> bottomFirst;
    private final Map<String, Layer> kept = new HashMap<>();
    private final List<Layer> left;

    LayerOrder(Layers present, MediatorStack stack) {
        bottomFirst = stack.places().reversed();
        left = new ArrayList<>(present.bottomFirst());
        for (String place : bottomFirst) {
            keep(place, layer -> layer.stay().filter(stay -> stack.fits(place, stay.mediator())).isPresent());
        }
        for (String place : bottomFirst) {
            keep(place, layer -> layer.stay().isEmpty() && layer.place().equals(place));
        }
    }

    private void keep(String place, Predicate<Layer> fits) {
        if (!kept.containsKey(place)) {
            left.stream().filter(fits).findFirst().ifPresent(layer -> {
                left.remove(layer);
                kept.put(place, layer);
            });
        }
    }

    /// Those that have no place.
    List<Layer> dropped() {
        return List.copyOf(left);
    }

    /// All in their order.
    ///
    /// @param base used before a layer is made
    List<Layer> bottomFirst(Layer base, Function<String, Layer> maker) {
        List<Layer> all = new ArrayList<>();
        for (String place : bottomFirst) {
            Layer layer = kept.get(place);
            if (layer == null) {
                boolean free = !kept.containsValue(base) && !all.contains(base);
                layer = free ? base : maker.apply(place);
            }
            layer.place(place);
            all.add(layer);
        }
        return all;
    }
}
