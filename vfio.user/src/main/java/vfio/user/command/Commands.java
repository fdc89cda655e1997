// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.Command;

/// The commands a client may send once VERSION is agreed on.
public final class Commands {
    private static final Handler UNKNOWN = _ -> {
        throw new VfioException(Errno.ENOTTY, "command expected=one a client may send");
    };
    private static final Handler VERSION_AGAIN = _ -> {
        throw new VfioException(Errno.EINVAL, "version expected=once");
    };
    private static final Handler[] BY_CODE = new Handler[Command.MAX];

    static {
        for (int code = 0; code < BY_CODE.length; code++) {
            BY_CODE[code] = Command.of(code).map(Commands::handlerOf).orElse(UNKNOWN);
        }
    }

    private Commands() {
    }

    private static Handler handlerOf(Command command) {
        return switch (command) {
            case VERSION -> VERSION_AGAIN;
            case DMA_MAP -> new DmaMap();
            case DMA_UNMAP -> new DmaUnmap();
            case DEVICE_GET_INFO -> new DeviceGetInfo();
            case DEVICE_GET_REGION_INFO -> new DeviceGetRegionInfo();
            case DEVICE_GET_REGION_IO_FDS -> new DeviceGetRegionIoFds();
            case DEVICE_GET_IRQ_INFO -> new DeviceGetIrqInfo();
            case DEVICE_SET_IRQS -> new DeviceSetIrqs();
            case REGION_READ -> new RegionRead();
            case REGION_WRITE -> new RegionWrite();
            case DMA_READ, DMA_WRITE -> UNKNOWN;
            case DEVICE_RESET -> new DeviceReset();
            case REGION_WRITE_MULTI -> new RegionWriteMulti();
            case DEVICE_FEATURE -> new DeviceFeature();
            case MIG_DATA_READ -> new MigDataRead();
            case MIG_DATA_WRITE -> new MigDataWrite();
        };
    }

    /// What that command does; for a number that is none, a handler that says so.
    public static Handler of(int code) {
        return code < BY_CODE.length ? BY_CODE[code] : UNKNOWN;
    }
}
