// SPDX-License-Identifier: Apache-2.0
package device.sim.configspace;

/// A field of config space or of a capability.
///
/// @param offset first byte, from the start of whatever it is a field of
/// @param bytes its width, 1 to 8
/// @param value after a reset
/// @param writable bits that keep what is written
/// @param clearable bits that a written 1 clears
/// @param trigger bits that read 0 and start something when written as 1
public record Field(int offset, int bytes, long value, long writable, long clearable, long trigger) {
    /// Checks that the masks are apart and everything fits.
    public Field {
        if (offset < 0 || bytes < 1 || bytes > 8) {
            throw new IllegalArgumentException("offset=0x%x bytes=%d expected=a field of 1 to 8 bytes".formatted(offset, bytes));
        }
        if ((writable & clearable | (writable | clearable) & trigger) != 0) {
            throw new IllegalArgumentException("offset=0x%x expected=a bit is writable, clearable or a trigger".formatted(offset));
        }
        if (bytes < 8 && ((value | writable | clearable | trigger) >>> bytes * 8) != 0) {
            throw new IllegalArgumentException("offset=0x%x bytes=%d expected=values that fit".formatted(offset, bytes));
        }
    }

    /// A field that never changes.
    public static Field fixed(int offset, int bytes, long value) {
        return new Field(offset, bytes, value, 0, 0, 0);
    }

    /// A field of which some bits keep what is written.
    public static Field writable(int offset, int bytes, long value, long writable) {
        return new Field(offset, bytes, value, writable, 0, 0);
    }

    /// A field of status bits that a written 1 clears.
    public static Field clearable(int offset, int bytes, long clearable) {
        return new Field(offset, bytes, 0, 0, clearable, 0);
    }
}
