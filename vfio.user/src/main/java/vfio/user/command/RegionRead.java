// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;
import vfio.user.wire.HostOrder;
import vfio.user.wire.RegionAccessLayout;

/// REGION_READ: the device writes straight into the answer. Allocates nothing.
final class RegionRead implements Handler {
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
        exchange.port().read(region, RegionAccess.offset(offset), reply, to + RegionAccessLayout.BYTES, count);
        RegionAccess.put(reply, to, offset, region, count);
        exchange.answer(RegionAccessLayout.BYTES + count);
    }
}
