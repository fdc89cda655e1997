// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import vfio.pci.api.Range;

/// Registers that a rule is about.
///
/// @param region index
/// @param range of 1, 2, 4 or 8 bytes if the rule looks at values
record Registers(int region, Range range, Values values) implements Rule.Target {
    boolean include(int accessed, long offset, MemorySegment buffer, long bufferOffset, int count) {
        return accessed == region && range.overlaps(offset, count)
            && (values == Values.ANY || includeValue(offset, buffer, bufferOffset, count));
    }

    /// A write of a part of the register is taken for one that matches: what it makes of the whole cannot be known without reading the
    /// device, which may have effects, and a guest could write everything in parts.
    private boolean includeValue(long offset, MemorySegment buffer, long bufferOffset, int count) {
        if (offset > range.offset() || offset + count < range.end()) {
            return true;
        }
        return values.include(littleEndian(buffer, bufferOffset + range.offset() - offset, (int) range.size()));
    }

    /// The first bytes, at most eight, as a number.
    static long littleEndian(MemorySegment buffer, long offset, int count) {
        long value = 0;
        for (int i = Math.min(count, Long.BYTES) - 1; i >= 0; i--) {
            value = value << Byte.SIZE | buffer.get(ValueLayout.JAVA_BYTE, offset + i) & 0xFF;
        }
        return value;
    }
}
