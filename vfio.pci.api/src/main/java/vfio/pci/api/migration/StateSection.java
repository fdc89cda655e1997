// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.migration;

import java.util.Arrays;
import java.util.Objects;

/// A part of a device's state, as its mediator writes and reads it. The core adds length and checksum and keeps the order.
///
/// @param name what it is, 1 to [#LONGEST_NAME] characters of ASCII
/// @param version of its layout, 0 to 0xFFFF
/// @param data its bytes, taken over and not to be changed
public record StateSection(String name, int version, byte[] data) {
    /// Most characters of a name.
    public static final int LONGEST_NAME = 64;

    /// Checks name and version.
    ///
    /// @throws IllegalArgumentException naming what is wrong
    public StateSection {
        Objects.requireNonNull(data, "data");
        if (name.isEmpty() || name.length() > LONGEST_NAME || name.chars().anyMatch(c -> c < 0x21 || c > 0x7E)) {
            throw new IllegalArgumentException("name=%s expected=1 to %d printable ASCII characters".formatted(name, LONGEST_NAME));
        }
        if (version < 0 || version > 0xFFFF) {
            throw new IllegalArgumentException("section=%s version=0x%x expected=0 to 0xffff".formatted(name, version));
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StateSection that && name.equals(that.name) && version == that.version && Arrays.equals(data, that.data);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, version, Arrays.hashCode(data));
    }

    @Override
    public String toString() {
        return "%s version=%d size=0x%x".formatted(name, version, data.length);
    }
}
