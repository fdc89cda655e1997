// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.user.wire.IrqInfoLayout;

/// DEVICE_GET_IRQ_INFO.
final class DeviceGetIrqInfo implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireSize(IrqInfoLayout.BYTES);
        exchange.requireNoFds();
        IrqInfoLayout.IrqInfo asked = IrqInfoLayout.decode(exchange.request(), exchange.payload());
        Exchange.requireArgsz(asked.argsz(), IrqInfoLayout.BYTES);
        IrqInfo info = exchange.device().irqInfo(Exchange.index("index", asked.index()));
        IrqInfoLayout.encode(new IrqInfoLayout.IrqInfo(IrqInfoLayout.BYTES, flags(info), info.index(), info.count()), exchange.reply(),
            exchange.replyPayload());
        exchange.answer(IrqInfoLayout.BYTES);
    }

    private static long flags(IrqInfo info) {
        long flags = 0;
        for (IrqInfo.Flag flag : info.flags()) {
            flags |= switch (flag) {
                case EVENTFD -> IrqInfoLayout.EVENTFD;
                case MASKABLE -> IrqInfoLayout.MASKABLE;
                case AUTOMASKED -> IrqInfoLayout.AUTOMASKED;
                case NORESIZE -> IrqInfoLayout.NORESIZE;
            };
        }
        return flags;
    }
}
