// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationState;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.MigStateLayout;

/// MIG_DEVICE_STATE: the state of the migration, and its change.
final class FeatureMigDeviceState extends Feature {
    private static final long NO_FD = -1;

    FeatureMigDeviceState() {
        super(DeviceFeatureLayout.GET | DeviceFeatureLayout.SET);
    }

    @Override
    int get(Exchange exchange, Migration migration, long argsz) throws VfioException {
        requireRoom(argsz, MigStateLayout.BYTES);
        HostOrder.putU32(exchange.reply(), answerAt(exchange) + MigStateLayout.DEVICE_STATE, migration.state().number());
        HostOrder.putU32(exchange.reply(), answerAt(exchange) + MigStateLayout.DATA_FD, NO_FD);
        return MigStateLayout.BYTES;
    }

    @Override
    void set(Exchange exchange, Migration migration) throws VfioException {
        requireOwn(exchange, MigStateLayout.BYTES);
        long number = HostOrder.u32(exchange.request(), requestAt(exchange) + MigStateLayout.DEVICE_STATE);
        migration.state(MigrationState.of(number).orElseThrow(() -> Exchange.invalid("device_state", number, "0 to 7")));
    }
}
