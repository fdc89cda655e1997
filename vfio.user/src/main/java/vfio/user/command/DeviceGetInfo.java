// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.pci.api.device.DeviceInfo;
import vfio.user.wire.DeviceInfoLayout;

/// DEVICE_GET_INFO.
final class DeviceGetInfo implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireSize(DeviceInfoLayout.BYTES);
        exchange.requireNoFds();
        Exchange.requireArgsz(DeviceInfoLayout.decode(exchange.request(), exchange.payload()).argsz(), DeviceInfoLayout.BYTES);
        DeviceInfo info = exchange.device().info();
        long flags = DeviceInfoLayout.FLAGS_PCI | (info.resettable() ? DeviceInfoLayout.FLAGS_RESET : 0);
        DeviceInfoLayout.encode(new DeviceInfoLayout.DeviceInfo(DeviceInfoLayout.BYTES, flags, info.regions(), info.irqs()),
            exchange.reply(), exchange.replyPayload());
        exchange.answer(DeviceInfoLayout.BYTES);
    }
}
