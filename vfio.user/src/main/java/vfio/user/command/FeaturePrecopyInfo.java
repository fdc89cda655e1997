// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.PrecopyInfoLayout;

/// What is still to be read while the device runs.
final class FeaturePrecopyInfo extends Feature {
    FeaturePrecopyInfo() {
        super(DeviceFeatureLayout.GET);
    }

    @Override
    int get(Exchange exchange, Migration migration, long argsz) throws VfioException {
        requireRoom(argsz, PrecopyInfoLayout.BYTES);
        Migration.PreCopy info = migration.preCopyInfo();
        HostOrder.putU64(exchange.reply(), answerAt(exchange) + PrecopyInfoLayout.INITIAL_BYTES, info.initialBytes());
        HostOrder.putU64(exchange.reply(), answerAt(exchange) + PrecopyInfoLayout.DIRTY_BYTES, info.dirtyBytes());
        return PrecopyInfoLayout.BYTES;
    }
}
