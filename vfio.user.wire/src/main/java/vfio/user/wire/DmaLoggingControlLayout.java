// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;
import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_device_feature_dma_logging_control`; the ranges follow.
public final class DmaLoggingControlLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("page_size"),
        U32.withName("num_ranges"), U32.withName("reserved"))
        .withName("vfio_user_device_feature_dma_logging_control");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `page_size` is.
    public static final long PAGE_SIZE = HostOrder.offset(LAYOUT, "page_size");
    /// Where `num_ranges` is.
    public static final long NUM_RANGES = HostOrder.offset(LAYOUT, "num_ranges");
    /// Where `reserved` is.
    public static final long RESERVED = HostOrder.offset(LAYOUT, "reserved");

    private DmaLoggingControlLayout() {
    }
}
