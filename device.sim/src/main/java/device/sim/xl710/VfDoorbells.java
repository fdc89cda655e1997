// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

/// Told by the registers of what a driver wants done. Called with the function's lock held; must not wait.
interface VfDoorbells {
    /// What a tail reads that is not in lent memory.
    int tail(boolean receive, int queue);

    /// A driver wrote a tail that is not in lent memory.
    void ring(boolean receive, int queue, int value);

    /// A driver wrote a register of the mailbox, which has the value.
    void mailbox(VfRegister register, int value);

    /// A driver wrote the hash key, its look-up table or the hashed types.
    void hashChanged();

    /// VFGEN_RSTAT reads something else from now on.
    void statusSet(int status);
}
