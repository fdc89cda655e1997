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
        int bitmap = DirtyBitmap.bytes(length, pageSize,
            exchange.limits().dataBytes() - DeviceFeatureLayout.BYTES - DmaLoggingReportLayout.BYTES);
        requireRoom(argsz, DmaLoggingReportLayout.BYTES + bitmap);
        MemorySegment reply = exchange.reply();
        long to = answerAt(exchange);
        MemorySegment.copy(request, at, reply, to, DmaLoggingReportLayout.BYTES);
        DirtyBitmap.write(migration, iova, length, pageSize, reply, to + DmaLoggingReportLayout.BYTES, bitmap);
        return DmaLoggingReportLayout.BYTES + bitmap;
    }
}
