// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.DeviceFeatureLayout;

/// DEVICE_FEATURE: a well-formed request for a feature the device lacks is ENOTTY, as in Linux. It has none yet.
final class DeviceFeature implements Handler {
    private static final long METHODS = DeviceFeatureLayout.GET | DeviceFeatureLayout.SET;

    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireAtLeast(DeviceFeatureLayout.BYTES);
        exchange.requireNoFds();
        DeviceFeatureLayout.DeviceFeature asked = DeviceFeatureLayout.decode(exchange.request(), exchange.payload());
        Exchange.requireArgsz(asked.argsz(), DeviceFeatureLayout.BYTES);
        long flags = asked.flags();
        boolean probe = (flags & DeviceFeatureLayout.PROBE) != 0;
        if ((flags & ~(DeviceFeatureLayout.MASK | METHODS | DeviceFeatureLayout.PROBE)) != 0
            || !probe && Long.bitCount(flags & METHODS) != 1) {
            throw Exchange.invalid("flags", flags, "a feature with GET, SET or PROBE");
        }
        throw new VfioException(Errno.ENOTTY, "feature=0x%x the device has no such feature".formatted(flags & DeviceFeatureLayout.MASK));
    }
}
