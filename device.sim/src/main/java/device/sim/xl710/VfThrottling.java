// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

/// The throttling intervals of the vectors: of vector 0 in registers, of the others where a client may have mapped them, so that what is
/// read there is hostile. Called with the function's lock held.
interface VfThrottling {
    /// An interval as it is now.
    ///
    /// @param vector from 0
    /// @param index 0 to 2
    /// @return in 2 microseconds, up to [DynCtl#INTERVAL_MASK]
    int interval(int vector, int index);

    /// Sets VFINT_ITRN1 where a client may have mapped it.
    ///
    /// @param vector from 1
    /// @param index 0 to 2
    /// @param interval in 2 microseconds
    void interval(int vector, int index, int interval);

    /// Which index the mailbox's messages have on vector 0; 3 is none.
    int indexOfOthers();
}
