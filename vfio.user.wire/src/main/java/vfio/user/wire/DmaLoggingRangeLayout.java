// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_device_feature_dma_logging_range`.
public final class DmaLoggingRangeLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("iova"), U64.withName("length"))
        .withName("vfio_user_device_feature_dma_logging_range");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `iova` is.
    public static final long IOVA = HostOrder.offset(LAYOUT, "iova");
    /// Where `length` is.
    public static final long LENGTH = HostOrder.offset(LAYOUT, "length");

    private DmaLoggingRangeLayout() {
    }
}
