// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.function;

import org.osgi.annotation.versioning.ConsumerType;

/// Told of the registers by which a driver hands memory to the function, be they written to the function or to memory that was mapped.
@ConsumerType
@FunctionalInterface
public interface DoorbellTap {
    /// A doorbell has a new value. Called before the function acts on it, by a thread of the function that waits for the return, with no
    /// lock held that an access needs; must not call the function back, and must not throw.
    ///
    /// @param bar of the register
    /// @param offset of the register
    /// @param value that the function will act on
    void doorbell(int bar, long offset, int value);
}
