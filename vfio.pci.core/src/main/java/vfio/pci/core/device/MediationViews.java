// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

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

/// What clients are told of a device, as its mediation wants it.
final class MediationViews {
    private final DeviceMediation mediation;

    MediationViews(DeviceMediation mediation) {
        this.mediation = mediation;
    }

    /// A region as the mediation describes it.
    ///
    /// @throws VfioException EIO when the mediation fails
    RegionInfo describe(int index, Region region) throws VfioException {
        Binding binding = mediation.gate().peek();
        if (binding == null) {
            return region.info();
        }
        try {
            RegionInfo changed = describe(binding, index, region);
            return mediation.limit(binding, region, changed.size()) ? changed : region.info();
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw mediation.fault(binding, e);
        }
    }

    /// A region as that mediation describes it.
    static RegionInfo describe(Binding binding, int index, Region region) {
        RegionInfo changed = binding.regionInfo(region.info());
        if (changed.index() != index) {
            throw new IllegalStateException("region=%d mediation answered for region=%d".formatted(index, changed.index()));
        }
        return changed;
    }

    /// Doorbells of a region as the mediation wants them.
    ///
    /// @throws VfioException EIO when the mediation fails
    List<Doorbell> doorbells(int index, List<Doorbell> defaults) throws VfioException {
        Binding binding = mediation.gate().peek();
        try {
            return binding == null ? defaults : binding.doorbells(index, defaults);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw mediation.fault(binding, e);
        }
    }

    /// Asks about a map.
    ///
    /// @throws VfioException EIO when the mediation fails; else what it answers
    MapVerdict askAboutMap(int index, long offset, long length) throws VfioException {
        Binding binding = mediation.gate().peek();
        if (binding == null) {
            return MapVerdict.PASS_THROUGH;
        }
        try {
            MapVerdict verdict = binding.map(index, offset, length);
            if (verdict instanceof MapVerdict.Provided(SharedMemory memory, long at)) {
                checkProvided(memory, at, length);
            }
            return verdict;
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw mediation.fault(binding, e);
        }
    }

    /// What lies past the end of a file faults when it is touched.
    private static void checkProvided(SharedMemory memory, long offset, long length) {
        if (!(memory instanceof DeviceMemory own) || offset < 0 || offset % Bar.PAGE_SIZE != 0 || offset > own.size() - length) {
            throw new IllegalStateException("provided memory=%s offset=0x%x length=0x%x expected=pages of shared memory of the device"
                .formatted(memory.getClass().getName(), offset, length));
        }
    }
}
