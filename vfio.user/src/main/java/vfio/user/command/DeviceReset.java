// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;

/// DEVICE_RESET: no payload either way.
final class DeviceReset implements Handler {
    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireSize(0);
        exchange.requireNoFds();
        exchange.device().reset();
    }
}
