// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

import vfio.pci.api.Range;

/// A range of a region that a mediation wants to see.
///
/// @param region index
/// @param range bytes in the region; may reach past its end
public record Claim(int region, Range range) {
    /// Checks the index.
    public Claim {
        if (region < 0) {
            throw new IllegalArgumentException("region=%d expected=not negative".formatted(region));
        }
    }

    /// A claim of `size` bytes from `offset`.
    public static Claim of(int region, long offset, long size) {
        return new Claim(region, new Range(offset, size));
    }

    /// A claim of a whole region.
    public static Claim whole(int region) {
        return new Claim(region, new Range(0, Long.MAX_VALUE));
    }
}
