// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/// `struct vfio_device_feature_mig_data_size` of Linux.
public final class MigDataSizeLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("stop_copy_length"))
        .withName("vfio_device_feature_mig_data_size");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `stop_copy_length` is.
    public static final long STOP_COPY_LENGTH = HostOrder.offset(LAYOUT, "stop_copy_length");

    private MigDataSizeLayout() {
    }
}
