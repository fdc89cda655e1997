// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.user.wire.BitmapLayout;
import vfio.user.wire.DmaUnmapLayout;
import vfio.user.wire.HostOrder;

/// DMA_UNMAP: the mappings in a range, or all. The answer is the request's structure, once nothing uses the memory any more.
final class DmaUnmap implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireAtLeast(DmaUnmapLayout.BYTES);
        exchange.requireNoFds();
        DmaUnmapLayout.DmaUnmap unmap = DmaUnmapLayout.decode(exchange.request(), exchange.payload());
        Exchange.requireArgsz(unmap.argsz(), DmaUnmapLayout.BYTES);
        if (unmap.flags() == DmaUnmapLayout.FLAG_GET_DIRTY_BITMAP) {
            unmapWithBitmap(exchange, unmap);
            return;
        }
        exchange.requireSize(DmaUnmapLayout.BYTES);
        if (unmap.flags() == DmaUnmapLayout.FLAG_ALL) {
            if ((unmap.addr() | unmap.size()) != 0) {
                throw Exchange.invalid("addr", unmap.addr(), "address and size 0 to unmap all");
            }
            exchange.device().dmaUnmapAll();
            exchange.ledger().removeAll();
        } else if (unmap.flags() == 0) {
            unmapRange(exchange, unmap);
        } else {
            throw Exchange.invalid("flags", unmap.flags(), "0, 1 or 2");
        }
        DmaUnmapLayout.encode(unmap, exchange.reply(), exchange.replyPayload());
        exchange.answer(DmaUnmapLayout.BYTES);
    }

    private static void unmapRange(Exchange exchange, DmaUnmapLayout.DmaUnmap unmap) throws VfioException {
        // Unsigned: a VMM with a virtual IOMMU unmaps half the address space at once.
        if (unmap.size() == 0) {
            throw Exchange.invalid("size", unmap.size(), "1 or more");
        }
        exchange.device().dmaUnmap(unmap.addr(), unmap.size());
        exchange.ledger().remove(unmap.addr(), unmap.size());
    }

    /// Unmaps, and then says what was written there, so that no write is missed. What is wrong with the question is found before; where the
    /// device cannot answer after all, the memory is unmapped all the same, and the bits stay for a report.
    private static void unmapWithBitmap(Exchange exchange, DmaUnmapLayout.DmaUnmap unmap) throws VfioException {
        Migration migration = exchange.device().migration().orElseThrow(() -> new VfioException(Errno.EOPNOTSUPP,
            "flags=0x1 expected=a device whose mediator tells what it writes"));
        exchange.requireSize(DmaUnmapLayout.BYTES + BitmapLayout.BYTES);
        long at = exchange.payload() + DmaUnmapLayout.BYTES;
        long pageSize = HostOrder.u64(exchange.request(), at + BitmapLayout.PGSIZE);
        int bytes = DirtyBitmap.bytes(unmap.size(), pageSize, exchange.limits().dataBytes() - DmaUnmapLayout.BYTES - BitmapLayout.BYTES);
        long room = HostOrder.u64(exchange.request(), at + BitmapLayout.SIZE);
        if (room != bytes) {
            throw Exchange.invalid("bitmap size", room, "0x" + Integer.toHexString(bytes));
        }
        int answer = DmaUnmapLayout.BYTES + BitmapLayout.BYTES + bytes;
        Exchange.requireArgsz(unmap.argsz(), answer);
        unmapRange(exchange, unmap);
        long to = exchange.replyPayload();
        DmaUnmapLayout.encode(unmap, exchange.reply(), to);
        MemorySegment.copy(exchange.request(), at, exchange.reply(), to + DmaUnmapLayout.BYTES, BitmapLayout.BYTES);
        DirtyBitmap.write(migration, unmap.addr(), unmap.size(), pageSize, exchange.reply(),
            to + DmaUnmapLayout.BYTES + BitmapLayout.BYTES, bytes);
        exchange.answer(answer);
    }
}
