// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import java.util.Optional;

/// `enum vfio_user_command`: what a message asks for.
public enum Command {
    /// `VFIO_USER_VERSION`: the first message of a connection.
    VERSION(1),
    /// `VFIO_USER_DMA_MAP`.
    DMA_MAP(2),
    /// `VFIO_USER_DMA_UNMAP`.
    DMA_UNMAP(3),
    /// `VFIO_USER_DEVICE_GET_INFO`.
    DEVICE_GET_INFO(4),
    /// `VFIO_USER_DEVICE_GET_REGION_INFO`.
    DEVICE_GET_REGION_INFO(5),
    /// `VFIO_USER_DEVICE_GET_REGION_IO_FDS`.
    DEVICE_GET_REGION_IO_FDS(6),
    /// `VFIO_USER_DEVICE_GET_IRQ_INFO`.
    DEVICE_GET_IRQ_INFO(7),
    /// `VFIO_USER_DEVICE_SET_IRQS`.
    DEVICE_SET_IRQS(8),
    /// `VFIO_USER_REGION_READ`.
    REGION_READ(9),
    /// `VFIO_USER_REGION_WRITE`.
    REGION_WRITE(10),
    /// `VFIO_USER_DMA_READ`: from the server to the client.
    DMA_READ(11),
    /// `VFIO_USER_DMA_WRITE`: from the server to the client.
    DMA_WRITE(12),
    /// `VFIO_USER_DEVICE_RESET`.
    DEVICE_RESET(13),
    /// `VFIO_USER_REGION_WRITE_MULTI`; 14 is not used.
    REGION_WRITE_MULTI(15),
    /// `VFIO_USER_DEVICE_FEATURE`.
    DEVICE_FEATURE(16),
    /// `VFIO_USER_MIG_DATA_READ`.
    MIG_DATA_READ(17),
    /// `VFIO_USER_MIG_DATA_WRITE`.
    MIG_DATA_WRITE(18);

    /// `VFIO_USER_MAX`: one more than the highest number.
    public static final int MAX = 19;

    private static final Command[] BY_CODE = new Command[MAX];

    static {
        for (Command command : values()) {
            BY_CODE[command.code] = command;
        }
    }

    private final int code;

    Command(int code) {
        this.code = code;
    }

    /// Its number on the wire.
    public int code() {
        return code;
    }

    /// The command of that number, if there is one.
    public static Optional<Command> of(int code) {
        return code >= 0 && code < MAX ? Optional.ofNullable(BY_CODE[code]) : Optional.empty();
    }
}
