// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

import vfio.pci.api.function.Bar;

/// An area of a region that can be mapped.
///
/// @param offset first byte, page aligned
/// @param size bytes, a positive multiple of the page
/// @param disablable whether it can be switched to trapped at run time
public record MmapArea(long offset, long size, boolean disablable) {
    /// Checks the limits above.
    public MmapArea {
        if (offset < 0 || size <= 0 || offset > Long.MAX_VALUE - size || (offset | size) % Bar.PAGE_SIZE != 0) {
            throw new IllegalArgumentException("area offset=0x%x size=0x%x expected=whole pages".formatted(offset, size));
        }
    }

    /// One past the last byte.
    public long end() {
        return offset + size;
    }
}
