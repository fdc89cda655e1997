// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// Moves a device without a state, and does something when a client begins to copy while it runs.
final class PreCopyingDriver extends MigrationDriver {
    private final Runnable begins;

    PreCopyingDriver(Runnable begins) {
        this.begins = begins;
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
    public void beginPreCopy() {
        begins.run();
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
