// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.function;

import java.util.OptionalLong;

/// A register whose write can be told by an event instead of a message (an ioeventfd): a write that says nothing but "now". Who takes the
/// event performs the write, with that value, as if it had come from the client. Events that come close together are one write, so a
/// doorbell is a register where writing twice does what writing once does.
///
/// @param bar the BAR, which is also the region's index
/// @param offset of the register, a multiple of its width
/// @param width of the write in bytes: 1, 2, 4 or 8
/// @param value the only value whose write is told so, if it matters which; empty where any write does the same, which is then performed
///     with 0
public record Doorbell(int bar, long offset, int width, OptionalLong value) {
    /// Checks the limits above, and that the value fits.
    public Doorbell {
        if (bar < 0 || bar >= Bar.ROM || Integer.bitCount(width) != 1 || width > Long.BYTES || offset < 0 || offset % width != 0) {
            throw new IllegalArgumentException("doorbell bar=%d offset=0x%x width=%d expected=a register of 1, 2, 4 or 8 bytes, bar 0 to 5"
                .formatted(bar, offset, width));
        }
        if (width < Long.BYTES && value.orElse(0) >>> 8 * width != 0) {
            throw new IllegalArgumentException("doorbell value=0x%x width=%d expected=a value that fits"
                .formatted(value.orElse(0), width));
        }
    }
}
