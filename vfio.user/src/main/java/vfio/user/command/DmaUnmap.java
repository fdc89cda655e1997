// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.DmaUnmapLayout;

/// DMA_UNMAP: the mappings in a range, or all. The answer is the request's structure, once nothing uses the memory any more.
final class DmaUnmap implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireAtLeast(DmaUnmapLayout.BYTES);
        exchange.requireNoFds();
        DmaUnmapLayout.DmaUnmap unmap = DmaUnmapLayout.decode(exchange.request(), exchange.payload());
        Exchange.requireArgsz(unmap.argsz(), DmaUnmapLayout.BYTES);
        if (unmap.flags() == DmaUnmapLayout.FLAG_GET_DIRTY_BITMAP) {
            throw new VfioException(Errno.EOPNOTSUPP, "flags=0x1 there is no dirty bitmap in an unmap");
        }
        exchange.requireSize(DmaUnmapLayout.BYTES);
        if (unmap.flags() == DmaUnmapLayout.FLAG_ALL) {
            if ((unmap.addr() | unmap.size()) != 0) {
                throw Exchange.invalid("addr", unmap.addr(), "address and size 0 to unmap all");
            }
            exchange.device().dmaUnmapAll();
            exchange.ledger().removeAll();
        } else if (unmap.flags() == 0) {
            // Unsigned: a VMM with a virtual IOMMU unmaps half the address space at once.
            if (unmap.size() == 0) {
                throw Exchange.invalid("size", unmap.size(), "1 or more");
            }
            exchange.device().dmaUnmap(unmap.addr(), unmap.size());
            exchange.ledger().remove(unmap.addr(), unmap.size());
        } else {
            throw Exchange.invalid("flags", unmap.flags(), "0 or 2");
        }
        DmaUnmapLayout.encode(unmap, exchange.reply(), exchange.replyPayload());
        exchange.answer(DmaUnmapLayout.BYTES);
    }
}
