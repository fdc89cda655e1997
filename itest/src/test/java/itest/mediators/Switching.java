// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/** Traps the receive tails of an XL710's VF from the beginning of a copy to its end. There is no state to copy. */
public final class Switching extends Mediator {
    /** How many areas can always be mapped. */
    public static final int FIXED = 1;
    /** How many areas there are. */
    public static final int AREAS = 2;

    public Switching(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        return Optional.of(new Switch(setting(), context));
    }

    private static final class Switch extends WatchedMediation {
        private final MediationContext context;

        Switch(Setting setting, MediationContext context) {
            super(setting);
            this.context = context;
        }

        @Override
        public Set<Capability> capabilities() {
            return Set.of(Capability.DYNAMIC_TRAP_BAR);
        }

        @Override
        public RegionInfo regionInfo(RegionInfo defaults) {
            return defaults.index() != RegionIndex.BAR0 ? defaults : defaults.with(new RegionCapability.SparseMmap(
                List.of(new MmapArea(0, 0x2000, false), new MmapArea(0x2000, 0x1000, true))));
        }

        @Override
        public Optional<MigrationDriver> migration() {
            return Optional.of(new Copy(context));
        }
    }

    private static final class Copy extends MigrationDriver {
        private final MediationContext context;

        Copy(MediationContext context) {
            this.context = context;
        }

        @Override
        public StateVersion version() {
            return new StateVersion(1, 0);
        }

        @Override
        public long stateSize() {
            return 0;
        }

        @Override
        public void beginPreCopy() throws VfioException {
            context.trap(true);
        }

        @Override
        public void endPreCopy() {
            context.untrap();
        }

        @Override
        public void stop() {
        }

        @Override
        public void start() {
        }

        @Override
        public List<StateSection> save() {
            return List.of();
        }

        @Override
        public void load(StateVersion version, List<StateSection> sections) {
        }
    }
}
