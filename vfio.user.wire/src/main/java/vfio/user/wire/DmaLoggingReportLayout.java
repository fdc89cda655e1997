// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_device_feature_dma_logging_report`; the bitmap follows in the answer, in words of 64 bits.
public final class DmaLoggingReportLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("iova"),
        U64.withName("length"), U64.withName("page_size"))
        .withName("vfio_user_device_feature_dma_logging_report");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `iova` is.
    public static final long IOVA = HostOrder.offset(LAYOUT, "iova");
    /// Where `length` is.
    public static final long LENGTH = HostOrder.offset(LAYOUT, "length");
    /// Where `page_size` is.
    public static final long PAGE_SIZE = HostOrder.offset(LAYOUT, "page_size");

    private DmaLoggingReportLayout() {
    }
}
