// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationFlag;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.FeatureMigrationLayout;
import vfio.user.wire.HostOrder;

/// MIGRATION: what the device can do.
final class FeatureMigration extends Feature {
    FeatureMigration() {
        super(DeviceFeatureLayout.GET);
    }

    @Override
    int get(Exchange exchange, Migration migration, long argsz) throws VfioException {
        requireRoom(argsz, FeatureMigrationLayout.BYTES);
        long flags = 0;
        for (MigrationFlag flag : migration.flags()) {
            flags |= flag.bit();
        }
        HostOrder.putU64(exchange.reply(), answerAt(exchange) + FeatureMigrationLayout.FLAGS, flags);
        return FeatureMigrationLayout.BYTES;
    }
}
