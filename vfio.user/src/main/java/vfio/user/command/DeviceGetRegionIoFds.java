// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.user.wire.RegionIoFdsLayout;

/// DEVICE_GET_REGION_IO_FDS: no region has any, which is an answer and not an error.
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
        int index = exchange.device().regionInfo(Exchange.index("index", asked.index())).index();
        RegionIoFdsLayout.encode(new RegionIoFdsLayout.RegionIoFds(RegionIoFdsLayout.BYTES, 0, index, 0), exchange.reply(),
            exchange.replyPayload());
        exchange.answer(RegionIoFdsLayout.BYTES);
    }
}
