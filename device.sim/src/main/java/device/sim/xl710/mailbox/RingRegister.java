// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.mailbox;

/// The registers of a ring.
public enum RingRegister {
    /// Base, upper half.
    BAH,
    /// Base, lower half.
    BAL,
    /// Number of descriptors, enable, errors.
    LEN,
    /// What the device works on next.
    HEAD,
    /// Where the driver puts its next descriptor.
    TAIL
}
