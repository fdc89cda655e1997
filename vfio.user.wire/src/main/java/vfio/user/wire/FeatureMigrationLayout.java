// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_device_feature_migration`: what a device can do when it is moved; `flags` are those of `VFIO_MIGRATION_*`.
public final class FeatureMigrationLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("flags"))
        .withName("vfio_user_device_feature_migration");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `flags` is.
    public static final long FLAGS = HostOrder.offset(LAYOUT, "flags");

    private FeatureMigrationLayout() {
    }
}
