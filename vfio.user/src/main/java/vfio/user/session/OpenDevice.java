// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;

/// A device that a connection opened, and where it accesses it.
///
/// @param device the handle
/// @param port of the handle
record OpenDevice(VfioDevice device, DevicePort port) implements AutoCloseable {
    /// Takes a handle; closed when it gives no port.
    static OpenDevice of(VfioDevice device) throws VfioException {
        boolean opened = false;
        try {
            OpenDevice open = new OpenDevice(device, device.port());
            opened = true;
            return open;
        } finally {
            if (!opened) {
                device.close();
            }
        }
    }

    /// May wait: not for the loop.
    @Override
    public void close() {
        try {
            port.close();
        } finally {
            device.close();
        }
    }
}
