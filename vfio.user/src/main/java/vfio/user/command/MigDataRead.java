// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.user.wire.MigDataLayout;

/// MIG_DATA_READ: the next part of the device's state; a size of 0 is the end.
final class MigDataRead implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireSize(MigDataLayout.BYTES);
        exchange.requireNoFds();
        MigDataLayout.MigData asked = MigDataLayout.decode(exchange.request(), exchange.payload());
        int count = RegionAccess.count(exchange, asked.size());
        Exchange.requireArgsz(asked.argsz(), MigDataLayout.BYTES + count);
        long to = exchange.replyPayload();
        int read = MigDataWrite.migration(exchange).read(exchange.reply(), to + MigDataLayout.BYTES, count);
        MigDataLayout.encode(new MigDataLayout.MigData(MigDataLayout.BYTES + read, read), exchange.reply(), to);
        exchange.answer(MigDataLayout.BYTES + read);
    }
}
