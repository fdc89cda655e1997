// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// Told of a tail before the device acts on it, be it written to a register or to mapped memory.
@FunctionalInterface
public interface DoorbellTap {
    /// Nobody is told.
    DoorbellTap NONE = (register, value) -> { };

    /// A tail has a new value. Called by the engine's thread before a descriptor up to this tail is used; the queues wait for the return.
    ///
    /// @param register its offset in BAR 0
    /// @param value the tail, valid for its ring
    void doorbell(int register, int value);
}
