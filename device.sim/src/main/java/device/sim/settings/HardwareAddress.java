// SPDX-License-Identifier: Apache-2.0
package device.sim.settings;

import java.util.regex.Pattern;

/// Hardware addresses as people write them.
public final class HardwareAddress {
    private static final Pattern TEXT = Pattern.compile("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}");
    private static final long GROUP = 1L << 40;

    private HardwareAddress() {
    }

    /// The address of one station as a number, its first byte the highest of six.
    ///
    /// @throws IllegalArgumentException for text that is none, and for the address of nobody or a group
    public static long parse(String text) {
        long address = TEXT.matcher(text).matches() ? Long.parseLong(text.replace(":", ""), 16) : 0;
        if (address == 0 || (address & GROUP) != 0) {
            throw new IllegalArgumentException("address=%s expected=one of a station, as in 02:00:00:3b:00:00".formatted(text));
        }
        return address;
    }

    /// The text of a number.
    public static String format(long address) {
        StringBuilder text = new StringBuilder();
        for (int shift = 40; shift >= 0; shift -= Byte.SIZE) {
            text.append("%02x".formatted(address >>> shift & 0xFF)).append(shift > 0 ? ":" : "");
        }
        return text.toString();
    }
}
