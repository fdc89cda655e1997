// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

/// Where the throttling intervals of the vectors from 1 on are kept: in memory that a client may have mapped.
@FunctionalInterface
interface VfThrottling {
    /// Sets VFINT_ITRN1.
    ///
    /// @param index 0 to 2
    /// @param vector from 1
    /// @param interval in 2 microseconds
    void set(int index, int vector, int interval);
}
