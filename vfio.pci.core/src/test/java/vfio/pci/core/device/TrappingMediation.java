// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.migration.MigrationDriver;

/// Has both default regions, and one page of BAR0 that can be switched to trapped; the page after it is always mapped.
final class TrappingMediation extends AnsweringMediation {
    @Override
    public Set<Capability> capabilities() {
        return Set.of(Capability.MIGRATION, Capability.DYNAMIC_TRAP_BAR);
    }

    @Override
    public Optional<MigrationDriver> migration() {
        return Optional.of(new PreCopyingDriver(() -> { }));
    }

    @Override
    public RegionInfo regionInfo(RegionInfo defaults) {
        return defaults.index() != 0 ? defaults : defaults.with(new RegionCapability.SparseMmap(List.of(
            new MmapArea(0x1000, 0x1000, true), new MmapArea(0x2000, 0x2000, false), new MmapArea(0x8000, 0x1000, true))));
    }
}
