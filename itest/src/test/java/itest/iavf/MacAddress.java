// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.util.HexFormat;

/**
 * An Ethernet address.
 *
 * @param bits 48 of them, the first byte on the wire is the highest
 */
public record MacAddress(long bits) {
    /** To all. */
    public static final MacAddress BROADCAST = new MacAddress(0xFFFF_FFFF_FFFFL);

    private static final int BYTES = 6;

    static MacAddress of(byte[] bytes, int offset) {
        long bits = 0;
        for (int i = 0; i < BYTES; i++) {
            bits = bits << Byte.SIZE | Byte.toUnsignedInt(bytes[offset + i]);
        }
        return new MacAddress(bits);
    }

    /** As on the wire. */
    public byte[] toBytes() {
        byte[] bytes = new byte[BYTES];
        for (int i = 0; i < BYTES; i++) {
            bytes[i] = (byte) (bits >>> Byte.SIZE * (BYTES - 1 - i));
        }
        return bytes;
    }

    /** Whether it names a group. */
    public boolean isGroup() {
        return (bits >>> 40 & 1) != 0;
    }

    @Override
    public String toString() {
        return HexFormat.ofDelimiter(":").formatHex(toBytes());
    }
}
