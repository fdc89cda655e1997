// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.migration;

/// What a device can do when it is moved (`linux/vfio.h`, `struct vfio_device_feature_migration`).
public enum MigrationFlag {
    /// `VFIO_MIGRATION_STOP_COPY`: it can be stopped and copied.
    STOP_COPY(1),
    /// `VFIO_MIGRATION_P2P`: it knows the states between running and stopped.
    P2P(2),
    /// `VFIO_MIGRATION_PRE_COPY`: part of its state can be copied while it runs.
    PRE_COPY(4);

    private final int bit;

    MigrationFlag(int bit) {
        this.bit = bit;
    }

    /// The bit on the wire.
    public int bit() {
        return bit;
    }
}
