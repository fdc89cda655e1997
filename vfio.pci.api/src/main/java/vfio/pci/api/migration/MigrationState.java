// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.migration;

import java.util.Optional;

/// The states of Linux's migration protocol v2 (`linux/vfio.h`, `enum vfio_device_mig_state`).
public enum MigrationState {
    /// `VFIO_DEVICE_STATE_ERROR`: the device cannot be used before a reset.
    ERROR(0),
    /// `VFIO_DEVICE_STATE_STOP`: it does nothing by itself: no DMA, no interrupt, no change of its state.
    STOP(1),
    /// `VFIO_DEVICE_STATE_RUNNING`: it runs; the state after an open and after a reset.
    RUNNING(2),
    /// `VFIO_DEVICE_STATE_STOP_COPY`: stopped, and its state can be read to the end.
    STOP_COPY(3),
    /// `VFIO_DEVICE_STATE_RESUMING`: stopped, and a state can be written.
    RESUMING(4),
    /// `VFIO_DEVICE_STATE_RUNNING_P2P`: it answers, and begins nothing with another device.
    RUNNING_P2P(5),
    /// `VFIO_DEVICE_STATE_PRE_COPY`: it runs, and a first part of its state can be read.
    PRE_COPY(6),
    /// `VFIO_DEVICE_STATE_PRE_COPY_P2P`: both of these.
    PRE_COPY_P2P(7);

    private static final MigrationState[] ALL = values();

    private final int number;

    MigrationState(int number) {
        this.number = number;
    }

    /// The number on the wire.
    public int number() {
        return number;
    }

    /// The state of this number, if there is one.
    public static Optional<MigrationState> of(long number) {
        return number >= 0 && number < ALL.length ? Optional.of(ALL[(int) number]) : Optional.empty();
    }

    /// Whether the guest may be served: the device answers as it always does.
    public boolean running() {
        return switch (this) {
            case RUNNING, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P -> true;
            case ERROR, STOP, STOP_COPY, RESUMING -> false;
        };
    }

    /// Whether the device's state can be read.
    public boolean saving() {
        return switch (this) {
            case PRE_COPY, PRE_COPY_P2P, STOP_COPY -> true;
            case ERROR, STOP, RUNNING, RUNNING_P2P, RESUMING -> false;
        };
    }

    /// Whether it is one of the two states between running and stopped.
    public boolean peerToPeer() {
        return this == RUNNING_P2P || this == PRE_COPY_P2P;
    }
}
