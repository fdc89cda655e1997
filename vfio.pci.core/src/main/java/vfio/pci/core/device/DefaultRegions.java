// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.function.Bar;
import vfio.pci.api.mediation.Capability;
import vfio.pci.core.memory.DeviceMemory;
import vfio.pci.core.migration.MigrationEngine;
import vfio.pci.core.migration.RegionFace;
import vfio.pci.core.region.MigrationRegion;
import vfio.pci.core.region.TrapInfoRegion;

/// The regions that the core adds because a mediation asks for them, each at an index of its own for as long as the device is open. A
/// region stays the same one while mediations change that both ask for it: what a client registered there stays.
final class DefaultRegions {
    private final OpenDevice device;
    private final Map<RegionCapability.Type, Integer> places = new ConcurrentHashMap<>();
    private volatile Optional<MigrationRegion> migration = Optional.empty();
    /// The device's, and the same one every time.
    private volatile DeviceMemory migrationMemory;
    /// By whom the migration region works; what a client does there goes on while another layer changes.
    private Optional<MigrationEngine> shown = Optional.empty();
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

    /// Has all there is needed to show these.
    ///
    /// @throws VfioException ENOMEM when there is no memory for the migration region
    void prepare(Set<Capability> capabilities, Optional<MigrationEngine> engine) throws VfioException {
        if (capabilities.contains(Capability.MIGRATION)) {
            if (engine.isEmpty()) {
                throw new IllegalStateException("capability=MIGRATION expected=a mediation with a migration driver");
            }
            migrationMemory = device.memories().ofMigration(MigrationRegion.SIZE);
        }
    }

    /// Has those that were asked for there, and no others, after [#prepare].
    void show(Set<Capability> capabilities, Optional<MigrationEngine> engine) {
        boolean moves = capabilities.contains(Capability.MIGRATION);
        if (moves && !engine.equals(shown)) {
            RegionFace face = new RegionFace(engine.orElseThrow());
            migration.ifPresent(region -> region.face(face));
            if (migration.isEmpty()) {
                migration = Optional.of(device.regions().special(places, RegionCapability.Type.MIGRATION,
                    index -> new MigrationRegion(index, face, migrationMemory)));
            }
        } else if (!moves && migration.isPresent()) {
            remove(RegionCapability.Type.MIGRATION);
            migration = Optional.empty();
        }
        shown = moves ? engine : Optional.empty();
        boolean traps = capabilities.contains(Capability.DYNAMIC_TRAP_BAR);
        if (traps && trapInfo.isEmpty()) {
            int trapIrq = device.irqs().special(1, IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO);
            int areasIrq = device.irqs().special(Bar.ROM, IrqInfo.Type.REGION_AREAS);
            trapInfo = Optional.of(device.regions().special(places, RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO,
                index -> new TrapInfoRegion(index, trapIrq, areasIrq)));
        } else if (!traps && trapInfo.isPresent()) {
            remove(RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO);
            trapInfo = Optional.empty();
        }
    }

    private void remove(RegionCapability.Type type) {
        device.regions().remove(places.get(type));
    }
}
