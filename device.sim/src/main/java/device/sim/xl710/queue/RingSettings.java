// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// Where a queue's ring is.
interface RingSettings {
    /// Unsigned 64-bit address of the ring.
    long base();

    /// How many descriptors it has.
    int length();
}
