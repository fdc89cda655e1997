// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;
import vfio.user.wire.HostOrder;
import vfio.user.wire.RegionAccessLayout;

/// REGION_WRITE: the device reads straight from the request. Allocates nothing.
final class RegionWrite implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireAtLeast(RegionAccessLayout.BYTES);
        exchange.requireNoFds();
        MemorySegment request = exchange.request();
        long at = exchange.payload();
        long offset = HostOrder.u64(request, at + RegionAccessLayout.OFFSET);
        int region = Exchange.index("region", HostOrder.u32(request, at + RegionAccessLayout.REGION));
        int count = RegionAccess.count(exchange, HostOrder.u32(request, at + RegionAccessLayout.COUNT));
        exchange.requireSize(RegionAccessLayout.BYTES + count);
        exchange.port().write(region, RegionAccess.offset(offset), request, at + RegionAccessLayout.BYTES, count);
        RegionAccess.put(exchange.reply(), exchange.replyPayload(), offset, region, count);
        exchange.answer(RegionAccessLayout.BYTES);
    }
}
