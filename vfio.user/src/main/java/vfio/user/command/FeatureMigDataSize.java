// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.MigDataSizeLayout;

/// MIG_DATA_SIZE: how much there would be to copy.
final class FeatureMigDataSize extends Feature {
    FeatureMigDataSize() {
        super(DeviceFeatureLayout.GET);
    }

    @Override
    int get(Exchange exchange, Migration migration, long argsz) throws VfioException {
        requireRoom(argsz, MigDataSizeLayout.BYTES);
        HostOrder.putU64(exchange.reply(), answerAt(exchange) + MigDataSizeLayout.STOP_COPY_LENGTH, migration.stopCopyLength());
        return MigDataSizeLayout.BYTES;
    }
}
