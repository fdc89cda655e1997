// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.api.migration.Migration;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.DmaLoggingControlLayout;
import vfio.user.wire.DmaLoggingRangeLayout;
import vfio.user.wire.HostOrder;

/// DMA_LOGGING_START. A client names its ranges; where Linux takes none to mean all, here that is refused.
final class FeatureDmaLoggingStart extends Feature {
    FeatureDmaLoggingStart() {
        super(DeviceFeatureLayout.SET);
    }

    @Override
    void set(Exchange exchange, Migration migration) throws VfioException {
        exchange.requireAtLeast(DeviceFeatureLayout.BYTES + DmaLoggingControlLayout.BYTES);
        MemorySegment request = exchange.request();
        long at = requestAt(exchange);
        long count = HostOrder.u32(request, at + DmaLoggingControlLayout.NUM_RANGES);
        int room = requestSize(exchange) - DmaLoggingControlLayout.BYTES;
        if (count == 0 || count * DmaLoggingRangeLayout.BYTES != room) {
            throw Exchange.invalid("num_ranges", count, "1 or more, as many as came");
        }
        List<IovaRange> ranges = new ArrayList<>((int) count);
        for (long range = at + DmaLoggingControlLayout.BYTES; ranges.size() < count; range += DmaLoggingRangeLayout.BYTES) {
            ranges.add(range(HostOrder.u64(request, range + DmaLoggingRangeLayout.IOVA),
                HostOrder.u64(request, range + DmaLoggingRangeLayout.LENGTH)));
        }
        migration.startLogging(HostOrder.u64(request, at + DmaLoggingControlLayout.PAGE_SIZE), ranges);
    }

    private static IovaRange range(long iova, long length) throws VfioException {
        if (length == 0 || Long.compareUnsigned(iova, -length) > 0) {
            throw Exchange.invalid("length", length, "a range that does not wrap from 0x" + Long.toHexString(iova));
        }
        return new IovaRange(iova, length);
    }
}
