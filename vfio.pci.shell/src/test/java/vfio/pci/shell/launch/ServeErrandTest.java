// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServeErrandTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "3b:02.0", "3b:02.0\n/a\n3b:02.1"})
    void rejectsWhatIsNotPairs(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> ServeErrand.lines(text))
            .withMessageEndingWith("expected=ADDRESS SOCKET [ADDRESS SOCKET]...");
    }

    @Test
    void readsPairs() {
        assertThat(ServeErrand.lines("3b:02.0\n/run/a b.sock\n0000:00:02.0\n/run/c\n")).containsExactly(
            "3b:02.0", "/run/a b.sock", "0000:00:02.0", "/run/c");
    }
}
