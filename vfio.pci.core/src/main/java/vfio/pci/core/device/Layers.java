// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import vfio.pci.core.binding.Mediator;

/// The layers of a device in their order, as an immutable snapshot. To the access path a layer is a bit, a higher one a higher bit.
final class Layers {
    /// None.
    static final Layers NONE = new Layers(List.of(), false);

    private final List<Layer> bottomFirst;
    private final boolean baseIsLowest;

    private Layers(List<Layer> bottomFirst, boolean baseIsLowest) {
        this.bottomFirst = List.copyOf(bottomFirst);
        this.baseIsLowest = baseIsLowest;
    }

    /// These, in this order.
    ///
    /// @param base the layer whose gate every port knows
    static Layers of(List<Layer> bottomFirst, Layer base) {
        return new Layers(bottomFirst, bottomFirst.getFirst() == base);
    }

    List<Layer> bottomFirst() {
        return bottomFirst;
    }

    List<Layer> topFirst() {
        return bottomFirst.reversed();
    }

    /// The bit of the layer at this place from the bottom.
    private int bit(int place) {
        return place == 0 && baseIsLowest ? Interest.CLAIMED : Interest.STACKED << place;
    }

    /// The layer of a bit.
    Layer of(int bit) {
        return bottomFirst.get(bit == Interest.CLAIMED ? 0 : Integer.numberOfTrailingZeros(bit / Interest.STACKED));
    }

    /// The bit of a layer; 0 when it is not among them.
    int bitOf(Layer layer) {
        int place = bottomFirst.indexOf(layer);
        return place < 0 ? 0 : bit(place);
    }

    /// The bits of all layers below one; none when it is not among them.
    int below(Layer layer) {
        return Math.max(0, bitOf(layer) - 1) & ~Interest.TRAPPED;
    }

    /// The layer below another, and those below that.
    List<Layer> lowerThan(Layer layer) {
        return bottomFirst.subList(0, Math.max(0, bottomFirst.indexOf(layer)));
    }

    /// Whether one that is not this layer has that mediator.
    boolean hasElsewhere(Mediator mediator, Layer layer) {
        return bottomFirst.stream().anyMatch(other -> other != layer && other.isOf(mediator));
    }
}
