// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.migration;

/// The version of a mediator's saved state. A state of a newer major version is refused; one of another minor version, or of an older
/// major one, is given to the mediator, which says whether it can read it.
///
/// @param major 0 to 0xFFFF
/// @param minor 0 to 0xFFFF
public record StateVersion(int major, int minor) {
    /// Checks both.
    ///
    /// @throws IllegalArgumentException naming what is wrong
    public StateVersion {
        if ((major | minor) < 0 || major > 0xFFFF || minor > 0xFFFF) {
            throw new IllegalArgumentException("version=%d.%d expected=0 to 65535 each".formatted(major, minor));
        }
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
