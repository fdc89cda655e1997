// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_device_feature_mig_state`. There is no data descriptor over vfio-user: data travels by MIG_DATA_READ and
/// MIG_DATA_WRITE.
public final class MigStateLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U32.withName("device_state"), U32.withName("data_fd"))
        .withName("vfio_user_device_feature_mig_state");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `device_state` is.
    public static final long DEVICE_STATE = HostOrder.offset(LAYOUT, "device_state");
    /// Where `data_fd` is.
    public static final long DATA_FD = HostOrder.offset(LAYOUT, "data_fd");

    private MigStateLayout() {
    }
}
