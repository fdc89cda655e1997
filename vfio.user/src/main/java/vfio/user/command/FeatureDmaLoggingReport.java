// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.DmaLoggingReportLayout;
import vfio.user.wire.HostOrder;

/// DMA_LOGGING_REPORT: the pages written since the last report, a bit each, after the structure that asked.
final class FeatureDmaLoggingReport extends Feature {
    FeatureDmaLoggingReport() {
        super(DeviceFeatureLayout.GET);
    }

    @Override
    int get(Exchange exchange, Migration migration, long argsz) throws VfioException {
        requireOwn(exchange, DmaLoggingReportLayout.BYTES);
        MemorySegment request = exchange.request();
        long at = requestAt(exchange);
        long iova = HostOrder.u64(request, at + DmaLoggingReportLayout.IOVA);
        long length = HostOrder.u64(request, at + DmaLoggingReportLayout.LENGTH);
        long pageSize = HostOrder.u64(request, at + DmaLoggingReportLayout.PAGE_SIZE);
        int bitmap = bitmapBytes(exchange, length, pageSize);
        requireRoom(argsz, DmaLoggingReportLayout.BYTES + bitmap);
        MemorySegment reply = exchange.reply();
        long to = answerAt(exchange);
        MemorySegment.copy(request, at, reply, to, DmaLoggingReportLayout.BYTES);
        long bits = to + DmaLoggingReportLayout.BYTES;
        reply.asSlice(bits, bitmap).fill((byte) 0);
        migration.reportDirty(iova, length, pageSize, reply, bits);
        return DmaLoggingReportLayout.BYTES + bitmap;
    }

    private static int bitmapBytes(Exchange exchange, long length, long pageSize) throws VfioException {
        if (Long.bitCount(pageSize) != 1) {
            throw Exchange.invalid("page_size", pageSize, "a power of two");
        }
        long pages = length >>> Long.numberOfTrailingZeros(pageSize);
        long words = (pages >>> 6) + ((pages & 63) == 0 ? 0 : 1);
        long most = exchange.limits().dataBytes() - DeviceFeatureLayout.BYTES - DmaLoggingReportLayout.BYTES;
        if (words > most / Long.BYTES) {
            throw Exchange.invalid("length", length, "a bitmap of at most max_data_xfer_size");
        }
        return (int) words * Long.BYTES;
    }
}
