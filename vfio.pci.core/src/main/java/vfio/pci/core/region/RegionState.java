// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.MigrationState;

/// `device_state` of the proposal's migration region: bit 0 RUNNING, bit 1 SAVING, bit 2 RESUMING. SAVING with RESUMING is how an error is
/// read (`linux/vfio.h` of Linux 5.8, `VFIO_DEVICE_STATE_IS_ERROR`), and cannot be written.
final class RegionState {
    private static final int RUNNING = 1;
    private static final int SAVING = 2;
    private static final int RESUMING = 4;

    private RegionState() {
    }

    /// The bits that stand for a state. Those between running and stopped, which the proposal has not, are shown as running.
    static int bits(MigrationState state) {
        return switch (state) {
            case STOP -> 0;
            case RUNNING, RUNNING_P2P -> RUNNING;
            case PRE_COPY, PRE_COPY_P2P -> SAVING | RUNNING;
            case STOP_COPY -> SAVING;
            case RESUMING -> RESUMING;
            case ERROR -> SAVING | RESUMING;
        };
    }

    /// The state that bits ask for.
    ///
    /// @throws VfioException EINVAL for bits that are none: SAVING and RESUMING together, RUNNING and RESUMING together, any other bit
    static MigrationState of(int bits) throws VfioException {
        return switch (bits) {
            case 0 -> MigrationState.STOP;
            case RUNNING -> MigrationState.RUNNING;
            case SAVING | RUNNING -> MigrationState.PRE_COPY;
            case SAVING -> MigrationState.STOP_COPY;
            case RESUMING -> MigrationState.RESUMING;
            default -> throw new VfioException(Errno.EINVAL,
                "device_state=0x%x expected=RUNNING 1, SAVING 2, both 3, RESUMING 4, or 0".formatted(bits));
        };
    }
}
