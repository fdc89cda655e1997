// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;
import vfio.user.wire.HostOrder;
import vfio.user.wire.RegionWriteEntryLayout;
import vfio.user.wire.RegionWriteMultiLayout;

/// REGION_WRITE_MULTI: writes of up to 8 bytes that a client collected. Each stands for itself, as if it had been sent alone: one that
/// fails does not keep the others back. The answer is the number done.
final class RegionWriteMulti implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireAtLeast(RegionWriteMultiLayout.BYTES);
        exchange.requireNoFds();
        long entries = HostOrder.u64(exchange.request(), exchange.payload() + RegionWriteMultiLayout.WR_CNT);
        int room = exchange.payloadSize() - RegionWriteMultiLayout.BYTES;
        if (entries <= 0 || entries > room / RegionWriteEntryLayout.BYTES || entries * RegionWriteEntryLayout.BYTES != room) {
            throw Exchange.invalid("wr_cnt", entries, "as many as there are entries");
        }
        long done = 0;
        long at = exchange.payload() + RegionWriteMultiLayout.BYTES;
        for (long i = 0; i < entries; i++) {
            try {
                write(exchange, at);
                done++;
            } catch (VfioException e) {
                exchange.fault(e);
            }
            at += RegionWriteEntryLayout.BYTES;
        }
        HostOrder.putU64(exchange.reply(), exchange.replyPayload() + RegionWriteMultiLayout.WR_CNT, done);
        exchange.answer(RegionWriteMultiLayout.BYTES);
    }

    private static void write(Exchange exchange, long at) throws VfioException {
        MemorySegment request = exchange.request();
        long offset = RegionAccess.offset(HostOrder.u64(request, at + RegionWriteEntryLayout.OFFSET));
        int region = Exchange.index("region", HostOrder.u32(request, at + RegionWriteEntryLayout.REGION));
        long count = HostOrder.u32(request, at + RegionWriteEntryLayout.COUNT);
        if (count == 0 || count > Long.BYTES) {
            throw Exchange.invalid("count", count, "1 to 8");
        }
        exchange.port().write(region, offset, request, at + RegionWriteEntryLayout.DATA, (int) count);
    }
}
