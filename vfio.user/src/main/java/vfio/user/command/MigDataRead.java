// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.user.wire.MigDataLayout;

/// MIG_DATA_READ: the next part of the device's state; a size of 0 is the end.
final class MigDataRead implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireNoFds();
        Migration migration = MigDataWrite.migration(exchange);
        exchange.requireSize(MigDataLayout.BYTES);
        MigDataLayout.MigData asked = MigDataLayout.decode(exchange.request(), exchange.payload());
        int count = RegionAccess.count(exchange, asked.size());
        Exchange.requireArgsz(asked.argsz(), MigDataLayout.BYTES + count);
        long to = exchange.replyPayload();
        int read = migration.read(exchange.reply(), to + MigDataLayout.BYTES, count);
        MigDataLayout.encode(new MigDataLayout.MigData(MigDataLayout.BYTES + read, read), exchange.reply(), to);
        exchange.answer(MigDataLayout.BYTES + read);
    }
}
