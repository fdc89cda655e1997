// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/// `struct vfio_precopy_info` of Linux without its first two fields, which are those of the feature around it. Linux has it as an ioctl
/// on the data descriptor (`VFIO_MIG_GET_PRECOPY_INFO`); here it is a feature of our own number, [DeviceFeatureLayout#PRECOPY_INFO].
public final class PrecopyInfoLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("initial_bytes"), U64.withName("dirty_bytes"))
        .withName("vfio_precopy_info");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `initial_bytes` is.
    public static final long INITIAL_BYTES = HostOrder.offset(LAYOUT, "initial_bytes");
    /// Where `dirty_bytes` is.
    public static final long DIRTY_BYTES = HostOrder.offset(LAYOUT, "dirty_bytes");

    private PrecopyInfoLayout() {
    }
}
