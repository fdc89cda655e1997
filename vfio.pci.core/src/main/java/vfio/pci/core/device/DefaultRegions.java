// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.mediation.Capability;
import vfio.pci.core.region.MigrationRegion;
import vfio.pci.core.region.TrapInfoRegion;

/// The regions that the core adds because a mediation asks for them, each at an index of its own for as long as the device is open. A
/// region stays the same one while mediations change that both ask for it: what a client registered there stays.
final class DefaultRegions {
    private final OpenDevice device;
    private final Map<RegionCapability.Type, Integer> places = new ConcurrentHashMap<>();
    private volatile Optional<MigrationRegion> migration = Optional.empty();
    private volatile Optional<TrapInfoRegion> trapInfo = Optional.empty();

    DefaultRegions(OpenDevice device) {
        this.device = device;
    }

    Optional<MigrationRegion> migration() {
        return migration;
    }

    Optional<TrapInfoRegion> trapInfo() {
        return trapInfo;
    }

    /// Has those that were asked for there, and no others.
    void show(Set<Capability> capabilities) {
        boolean moves = capabilities.contains(Capability.MIGRATION);
        if (moves && migration.isEmpty()) {
            migration = Optional.of(device.regions().special(places, RegionCapability.Type.MIGRATION,
                index -> new MigrationRegion(index, device::changeState)));
        } else if (!moves && migration.isPresent()) {
            remove(RegionCapability.Type.MIGRATION);
            migration = Optional.empty();
        }
        boolean traps = capabilities.contains(Capability.DYNAMIC_TRAP_BAR);
        if (traps && trapInfo.isEmpty()) {
            trapInfo = Optional.of(device.regions().special(places, RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO, TrapInfoRegion::new));
            device.irqs().special(1, IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO);
        } else if (!traps && trapInfo.isPresent()) {
            remove(RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO);
            trapInfo = Optional.empty();
        }
    }

    private void remove(RegionCapability.Type type) {
        device.regions().remove(places.get(type));
    }
}
