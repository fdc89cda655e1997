// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.Test;

/** The values are those that Microsoft publishes in "Verifying the RSS Hash Calculation". */
public class ToeplitzTest {
    @Test
    public void hashesAddressesAndPorts() {
        assertThat(Toeplitz.hash(Toeplitz.key(), input("420995bb a18e6450 0aea 06e6"))).isEqualTo(0x51cc_c178);
        assertThat(Toeplitz.hash(Toeplitz.key(), input("c75c6f02 41458c53 37 96 12 83"))).isEqualTo(0xc626_b0ea);
    }

    @Test
    public void hashesAddressesAlone() {
        assertThat(Toeplitz.hash(Toeplitz.key(), input("420995bb a18e6450"))).isEqualTo(0x323e_8fc2);
    }

    @Test
    public void hasAsManyBytesAsTheDeviceTakes() {
        assertThat(Toeplitz.key()).hasSize(52);
        assertThat(Arrays.copyOf(Toeplitz.key(), 4)).isEqualTo(input("6d5a56da"));
    }

    private static byte[] input(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }
}
