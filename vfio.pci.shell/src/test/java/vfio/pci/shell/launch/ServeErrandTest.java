// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.PciAddress;

class ServeErrandTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "3b:02.0", "3b:02.0\n/a\n3b:02.1"})
    void rejectsWhatIsNotPairs(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> ServeErrand.parse(text))
            .withMessageEndingWith("expected=ADDRESS SOCKET [ADDRESS SOCKET]...");
    }

    @Test
    void readsPairs() {
        assertThat(ServeErrand.parse("3b:02.0\n/run/a b.sock\n0000:00:02.0\n/run/c")).containsExactly(
            new ServeErrand.Pair(new PciAddress(0, 0x3B, 2, 0), Path.of("/run/a b.sock")),
            new ServeErrand.Pair(new PciAddress(0, 0, 2, 0), Path.of("/run/c")));
    }
}
