// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.user.wire.MigDataLayout;

/// MIG_DATA_WRITE: the next part of a state for the device.
final class MigDataWrite implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireNoFds();
        Migration migration = migration(exchange);
        exchange.requireAtLeast(MigDataLayout.BYTES);
        MigDataLayout.MigData asked = MigDataLayout.decode(exchange.request(), exchange.payload());
        int count = RegionAccess.count(exchange, asked.size());
        exchange.requireSize(MigDataLayout.BYTES + count);
        Exchange.requireArgsz(asked.argsz(), MigDataLayout.BYTES + count);
        migration.write(exchange.request(), exchange.payload() + MigDataLayout.BYTES, count);
    }

    /// @throws VfioException ENOTTY for a device that cannot be moved
    static Migration migration(Exchange exchange) throws VfioException {
        return exchange.device().migration().orElseThrow(
            () -> new VfioException(Errno.ENOTTY, "migration=none expected=a device whose mediator can move it"));
    }
}
