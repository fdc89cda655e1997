// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import vfio.pci.api.VfioException;

/// What opening a device brought.
sealed interface Opened {
    /// The device.
    record Device(OpenDevice device) implements Opened {
    }

    /// Or why there is none.
    record Refused(VfioException why) implements Opened {
    }
}
