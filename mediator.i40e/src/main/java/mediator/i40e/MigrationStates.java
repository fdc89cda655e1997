// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.DeviceState;

/// Which migration state may follow on which. As in the protocol of Linux 5.7 to 5.17 (`linux/vfio.h`, "vfio_device_migration_info
/// states"), where no state is resuming and running at once.
final class MigrationStates {
    private static final Map<DeviceState, Set<DeviceState>> NEXT = new EnumMap<>(Map.of(
        // Saving while running; saving without (a suspend); shutdown; becoming the target.
        DeviceState.RUNNING, EnumSet.of(DeviceState.SAVING_RUNNING, DeviceState.SAVING, DeviceState.STOPPED, DeviceState.RESUMING),
        // The last copy; cancelled; the guest ended meanwhile.
        DeviceState.SAVING_RUNNING, EnumSet.of(DeviceState.SAVING, DeviceState.RUNNING, DeviceState.STOPPED),
        // Saved; failed, and goes on here.
        DeviceState.SAVING, EnumSet.of(DeviceState.STOPPED, DeviceState.RUNNING),
        DeviceState.STOPPED, EnumSet.of(DeviceState.RUNNING, DeviceState.SAVING, DeviceState.RESUMING),
        // Resumed; given up.
        DeviceState.RESUMING, EnumSet.of(DeviceState.RUNNING, DeviceState.STOPPED),
        DeviceState.RESUMING_RUNNING, EnumSet.noneOf(DeviceState.class)));

    private MigrationStates() {
    }

    /// Checks a change.
    ///
    /// @throws VfioException EINVAL when it is not legal
    static void check(PciAddress device, DeviceState from, DeviceState to) throws VfioException {
        if (!NEXT.get(from).contains(to)) {
            throw new VfioException(Errno.EINVAL, "address=%s state=%s from=%s expected=one of %s".formatted(device, to, from,
                NEXT.get(from)));
        }
    }
}
