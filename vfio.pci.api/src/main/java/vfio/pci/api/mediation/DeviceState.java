// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

import java.util.Optional;

/// The migration state of the proposal: bit 0 RUNNING, bit 1 SAVING, bit 2 RESUMING.
public enum DeviceState {
    /// Nothing set: stopped.
    STOPPED(0),
    /// The device runs.
    RUNNING(1),
    /// Stopped, and its state is being saved.
    SAVING(2),
    /// Runs, and what can be saved already is.
    SAVING_RUNNING(3),
    /// Stopped, and takes state in.
    RESUMING(4),
    /// Runs while it takes state in.
    RESUMING_RUNNING(5);

    private final int bits;

    DeviceState(int bits) {
        this.bits = bits;
    }

    /// The bits as the register has them.
    public int bits() {
        return bits;
    }

    /// The state with these bits; empty for one that is invalid: SAVING and RESUMING together, or any bit above 2.
    public static Optional<DeviceState> of(int bits) {
        return bits < 0 || bits > 5 ? Optional.empty() : Optional.of(values()[bits]);
    }

    /// Bit 0.
    public boolean running() {
        return (bits & 1) != 0;
    }

    /// Bit 1.
    public boolean saving() {
        return (bits & 2) != 0;
    }

    /// Bit 2.
    public boolean resuming() {
        return (bits & 4) != 0;
    }
}
