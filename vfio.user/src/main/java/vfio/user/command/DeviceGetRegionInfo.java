// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionInfo;
import vfio.user.wire.RegionCapabilities;
import vfio.user.wire.RegionInfoLayout;

/// DEVICE_GET_REGION_INFO. Where the capabilities do not fit into the client's `argsz`, the answer is the structure alone, with the
/// `argsz` it takes: without CAPS (a client would look for the list), without a descriptor (the client asks again and would get two).
final class DeviceGetRegionInfo implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireSize(RegionInfoLayout.BYTES);
        exchange.requireNoFds();
        RegionInfoLayout.RegionInfo asked = RegionInfoLayout.decode(exchange.request(), exchange.payload());
        Exchange.requireArgsz(asked.argsz(), RegionInfoLayout.BYTES);
        int index = Exchange.index("index", asked.index());
        // Before the list: the device then knows that this client may map, should what may be mapped change from now on.
        Optional<OwnedFd> handed = exchange.device().regionFile(index);
        RegionInfo info = exchange.device().regionInfo(index);
        boolean disablable = exchange.tellsDisablableAreas();
        int capabilities = RegionCapabilities.size(info.capabilities(), disablable);
        int whole = RegionInfoLayout.BYTES + capabilities;
        if (whole > Exchange.MAX_DATA) {
            throw new VfioException(Errno.E2BIG, "region=%d capabilities=0x%x more than one message holds".formatted(index, capabilities));
        }
        boolean complete = asked.argsz() >= whole;
        Optional<OwnedFd> file = info.flags().contains(RegionInfo.Flag.MMAP) ? handed : Optional.empty();
        boolean listed = complete && capabilities != 0;
        long flags = flags(info, file.isPresent()) | (listed ? RegionInfoLayout.FLAG_CAPS : 0);
        RegionInfoLayout.encode(new RegionInfoLayout.RegionInfo(whole, flags, index, listed ? RegionInfoLayout.BYTES : 0, info.size(), 0),
            exchange.reply(), exchange.replyPayload());
        if (complete) {
            RegionCapabilities.encode(info.capabilities(), disablable, exchange.reply(), exchange.replyPayload());
            file.ifPresent(exchange::attach);
        }
        exchange.answer(complete ? whole : RegionInfoLayout.BYTES);
    }

    private static long flags(RegionInfo info, boolean file) {
        return (info.flags().contains(RegionInfo.Flag.READ) ? RegionInfoLayout.FLAG_READ : 0)
            | (info.flags().contains(RegionInfo.Flag.WRITE) ? RegionInfoLayout.FLAG_WRITE : 0)
            | (file ? RegionInfoLayout.FLAG_MMAP : 0);
    }
}
