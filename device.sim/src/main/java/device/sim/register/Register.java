// SPDX-License-Identifier: Apache-2.0
package device.sim.register;

/// A 32-bit register, or an array of them; implemented by the enums that list a device's registers.
public interface Register {
    /// Offset of the first.
    int base();

    /// Bytes from one to the next, a multiple of 4.
    int stride();

    /// How many there are.
    int count();
}
