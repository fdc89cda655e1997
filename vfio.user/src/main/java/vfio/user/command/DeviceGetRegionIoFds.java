// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.util.List;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Doorbell;
import vfio.user.wire.IoEventFdLayout;
import vfio.user.wire.RegionIoFdsLayout;

/// DEVICE_GET_REGION_IO_FDS: an ioeventfd for each doorbell of the region, as many as the client takes descriptors in one message; the
/// others are written by messages. Where they do not fit into the client's `argsz`, the answer is the structure alone, with the `argsz` it
/// takes and without descriptors. A region that has none is an answer and not an error.
final class DeviceGetRegionIoFds implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireSize(RegionIoFdsLayout.BYTES);
        exchange.requireNoFds();
        RegionIoFdsLayout.RegionIoFds asked = RegionIoFdsLayout.decode(exchange.request(), exchange.payload());
        Exchange.requireArgsz(asked.argsz(), RegionIoFdsLayout.BYTES);
        if (asked.flags() != 0 || asked.count() != 0) {
            throw Exchange.invalid("flags", asked.flags() | asked.count(), "flags and count 0");
        }
        int index = Exchange.index("index", asked.index());
        List<DoorbellEvent> doorbells = exchange.doorbells(index);
        int whole = RegionIoFdsLayout.BYTES + doorbells.size() * IoEventFdLayout.BYTES;
        RegionIoFdsLayout.encode(new RegionIoFdsLayout.RegionIoFds(whole, 0, index, doorbells.size()), exchange.reply(),
            exchange.replyPayload());
        boolean complete = asked.argsz() >= whole;
        if (complete) {
            for (int i = 0; i < doorbells.size(); i++) {
                put(exchange, i, doorbells.get(i));
            }
        }
        exchange.answer(complete ? whole : RegionIoFdsLayout.BYTES);
    }

    private static void put(Exchange exchange, int at, DoorbellEvent event) {
        Doorbell doorbell = event.doorbell();
        exchange.attach(event.fd());
        IoEventFdLayout.encode(new IoEventFdLayout.IoEventFd(doorbell.offset(), doorbell.width(), at, IoEventFdLayout.TYPE_IOEVENTFD,
            doorbell.value().isPresent() ? IoEventFdLayout.FLAG_DATAMATCH : 0, doorbell.value().orElse(0)), exchange.reply(),
            exchange.replyPayload() + RegionIoFdsLayout.BYTES + (long) at * IoEventFdLayout.BYTES);
    }
}
