// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.Capability;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.binding.Context;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.migration.ExchangeFace;
import vfio.pci.core.migration.MigrationEngine;

/// One mediation's time with a device, and what was made for it.
///
/// @param binding the mediation
/// @param context what it reaches the device by
/// @param capabilities default regions it asked for
/// @param engine how it moves the device, if it can
/// @param below what it described first, by index
/// @param regions as it described them first, by index
/// @param relaysInterrupts whether it wants to be told of interrupts
record Stay(Binding binding, Context context, Set<Capability> capabilities, Optional<MigrationEngine> engine, List<RegionInfo> below,
        List<RegionInfo> regions, boolean relaysInterrupts) {
    /// How its state is taken out and put in, if it can be.
    Optional<ExchangeFace> state() {
        return engine.map(ExchangeFace::new);
    }

    /// A region as it would describe it, as far as that is known without asking: as it did at first, or as it is below.
    RegionInfo describe(int index, RegionInfo lower) {
        if (index >= regions.size() || regions.get(index).equals(below.get(index))) {
            return lower;
        }
        return below.get(index).equals(lower) ? regions.get(index) : RegionView.within(regions.get(index), lower);
    }

    Mediator mediator() {
        return binding.mediator();
    }
}
