// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.Optional;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.core.memory.DeviceMemory;

/// What tells a region that a mediation adds from others: its type and size, or without a type whose it is; and the memory that a client
/// may have mapped.
///
/// @param mediator its name
record AddedKind(Optional<RegionCapability.Type> type, String mediator, long size, Optional<DeviceMemory> memory)
        implements Places.Kind<AddedKind> {
    /// That of a region of this description.
    static AddedKind of(RegionInfo info, String mediator, long size, Optional<DeviceMemory> memory) {
        Optional<RegionCapability.Type> type = info.capabilities().stream().filter(RegionCapability.Type.class::isInstance)
            .map(RegionCapability.Type.class::cast).findFirst();
        return new AddedKind(type, mediator, size, memory);
    }

    @Override
    public boolean follows(AddedKind before) {
        boolean same = type.equals(before.type) && size == before.size && (type.isPresent() || mediator.equals(before.mediator));
        return same && (before.memory.isEmpty() || memory.equals(before.memory));
    }
}
