// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;
import vfio.user.wire.HostOrder;
import vfio.user.wire.RegionAccessLayout;

/// REGION_READ: the device writes straight into the answer, or the answer is sent straight from the device's memory where that is much.
/// Allocates nothing.
final class RegionRead implements Handler {
    /// Below that a copy costs less than sending from two places.
    private static final int LENT_FROM = 0x8000;

    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireSize(RegionAccessLayout.BYTES);
        exchange.requireNoFds();
        MemorySegment request = exchange.request();
        long at = exchange.payload();
        long offset = HostOrder.u64(request, at + RegionAccessLayout.OFFSET);
        int region = Exchange.index("region", HostOrder.u32(request, at + RegionAccessLayout.REGION));
        int count = RegionAccess.count(exchange, HostOrder.u32(request, at + RegionAccessLayout.COUNT));
        MemorySegment reply = exchange.reply();
        long to = exchange.replyPayload();
        long from = RegionAccess.offset(offset);
        RegionAccess.put(reply, to, offset, region, count);
        if (count < LENT_FROM || !exchange.answerLent(RegionAccessLayout.BYTES, region, from, count)) {
            exchange.port().read(region, from, reply, to + RegionAccessLayout.BYTES, count);
        }
        exchange.answer(RegionAccessLayout.BYTES + count);
    }
}
