// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.function;

/// How many vectors of each kind a function can raise.
///
/// @param intx 0 or 1
/// @param msi 0 to 32
/// @param msix 0 to 2048
public record InterruptVectors(int intx, int msi, int msix) {
    /// Checks the limits above.
    public InterruptVectors {
        if (intx < 0 || intx > 1 || msi < 0 || msi > 32 || msix < 0 || msix > 2048) {
            throw new IllegalArgumentException("intx=%d msi=%d msix=%d expected=at most 1, 32, 2048".formatted(intx, msi, msix));
        }
    }
}
