// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.user.wire.DeviceFeatureLayout;

/// DMA_LOGGING_STOP.
final class FeatureDmaLoggingStop extends Feature {
    FeatureDmaLoggingStop() {
        super(DeviceFeatureLayout.SET);
    }

    /// Bytes that come along mean nothing, as in Linux.
    @Override
    void set(Exchange exchange, Migration migration) throws VfioException {
        migration.stopLogging();
    }
}
