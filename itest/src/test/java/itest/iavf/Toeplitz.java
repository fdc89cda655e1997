// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.util.HexFormat;

/** The hash by which frames are spread over queues. */
public final class Toeplitz {
    /** The key that Microsoft publishes with values to check against, and twelve bytes more, as many as the device takes. */
    private static final String KEY = "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa"
        + "0102030405060708090a0b0c";

    private Toeplitz() {
    }

    /** @return 52 bytes */
    public static byte[] key() {
        return HexFormat.of().parseHex(KEY);
    }

    /** The hash of the bytes that make up a flow: addresses and, where there are some, ports, as they are in the frame. */
    public static int hash(byte[] key, byte[] input) {
        int result = 0;
        for (int bit = 0; bit < input.length * Byte.SIZE; bit++) {
            if ((input[bit / Byte.SIZE] & 0x80 >>> bit % Byte.SIZE) != 0) {
                result ^= window(key, bit);
            }
        }
        return result;
    }

    private static int window(byte[] key, int bit) {
        long wide = 0;
        for (int i = 0; i < 5; i++) {
            wide = wide << Byte.SIZE | Byte.toUnsignedInt(key[bit / Byte.SIZE + i]);
        }
        return (int) (wide >>> Byte.SIZE - bit % Byte.SIZE);
    }
}
