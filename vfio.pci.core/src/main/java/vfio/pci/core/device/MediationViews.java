// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.mediation.MapVerdict;
import vfio.pci.api.mediation.SharedMemory;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.memory.DeviceMemory;
import vfio.pci.core.region.Region;

/// What clients are told of a device, as its mediations want it: each is shown what those below it make of the device, and what the highest
/// says holds, but for memory that one below keeps from being mapped.
final class MediationViews {
    private final DeviceMediation mediation;

    MediationViews(DeviceMediation mediation) {
        this.mediation = mediation;
    }

    /// A region as the mediations describe it.
    ///
    /// @throws VfioException EIO when one of them fails
    RegionInfo describe(int index, Region region) throws VfioException {
        List<Binding> asked = mediation.present();
        if (asked.isEmpty()) {
            return region.info();
        }
        RegionInfo changed = describe(asked, index, region);
        return mediation.limit(asked, region, changed.size()) ? changed : mediation.described().get(index);
    }

    /// A region as the mediations below a layer describe it.
    ///
    /// @throws VfioException EIO when one of them fails
    RegionInfo describeBelow(Layer layer, int index, Region region) throws VfioException {
        List<Binding> asked = new ArrayList<>();
        for (Layer lower : mediation.layers().lowerThan(layer)) {
            Binding binding = lower.gate().peek();
            if (binding != null) {
                asked.add(binding);
            }
        }
        return asked.isEmpty() ? region.info() : describe(asked, index, region);
    }

    private RegionInfo describe(List<Binding> asked, int index, Region region) throws VfioException {
        RegionInfo info = region.info();
        for (Binding binding : asked) {
            try {
                RegionInfo changed = describe(binding, info);
                info = binding == asked.getFirst() ? changed : RegionView.within(changed, info);
            } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
                throw mediation.fault(binding, e);
            }
        }
        return info;
    }

    private static RegionInfo describe(Binding binding, RegionInfo below) {
        RegionInfo changed = binding.regionInfo(below);
        if (changed.index() != below.index()) {
            throw new IllegalStateException("region=%d mediation answered for region=%d".formatted(below.index(), changed.index()));
        }
        return changed;
    }

    /// All regions as one mediation describes them.
    ///
    /// @param below what it is shown, by index
    /// @param above what it makes of that
    record Described(List<RegionInfo> below, List<RegionInfo> above) {
    }

    /// All regions as a mediation that comes describes them; those below it are not asked again.
    ///
    /// @param regions as it finds them
    Described describeFirst(Layer layer, Binding binding, List<Region> regions) {
        List<RegionInfo> below = new ArrayList<>();
        List<RegionInfo> above = new ArrayList<>();
        List<Layer> lower = mediation.layers().lowerThan(layer).stream().filter(other -> other.stay().isPresent()).toList();
        for (int index = 0; index < regions.size(); index++) {
            RegionInfo info = regions.get(index).info();
            for (Layer other : lower) {
                Stay stay = other.stay().orElse(null);
                info = stay == null ? info : stay.describe(index, info);
            }
            RegionInfo changed = describe(binding, info);
            below.add(info);
            above.add(lower.isEmpty() ? changed : RegionView.within(changed, info));
        }
        return new Described(List.copyOf(below), List.copyOf(above));
    }

    /// Doorbells of a region as the mediations want them.
    ///
    /// @throws VfioException EIO when one of them fails
    List<Doorbell> doorbells(int index, List<Doorbell> defaults) throws VfioException {
        List<Doorbell> doorbells = defaults;
        for (Binding binding : mediation.present()) {
            try {
                doorbells = binding.doorbells(index, doorbells);
            } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
                throw mediation.fault(binding, e);
            }
        }
        return doorbells;
    }

    /// Asks about a map, the highest first. Each may refuse; one that provides memory answers for those below it.
    ///
    /// @throws VfioException EIO when one of them fails; else what it answers
    MapVerdict askAboutMap(int index, long offset, long length) throws VfioException {
        for (Binding binding : mediation.present().reversed()) {
            try {
                MapVerdict verdict = binding.map(index, offset, length);
                if (verdict instanceof MapVerdict.Provided(SharedMemory memory, long at)) {
                    checkProvided(memory, at, length);
                    return verdict;
                }
            } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
                throw mediation.fault(binding, e);
            }
        }
        return MapVerdict.PASS_THROUGH;
    }

    /// What lies past the end of a file faults when it is touched.
    private static void checkProvided(SharedMemory memory, long offset, long length) {
        if (!(memory instanceof DeviceMemory own) || offset < 0 || offset % Bar.PAGE_SIZE != 0 || offset > own.size() - length) {
            throw new IllegalStateException("provided memory=%s offset=0x%x length=0x%x expected=pages of shared memory of the device"
                .formatted(memory.getClass().getName(), offset, length));
        }
    }
}
