// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServeOrderTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "3b:02.0", "3b:02.0\n/a\n3b:02.1"})
    void rejectsWhatIsNotPairs(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> ServeOrder.read(text))
            .withMessageEndingWith("expected=ADDRESS SOCKET [ADDRESS SOCKET]...");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "2", "-3", "3x", "4294967299", "99999999999999999999"})
    void rejectsDescriptorsThatAreNone(String number) {
        assertThatIllegalArgumentException().isThrownBy(() -> ServeOrder.read("3b:02.0\nfd:" + number))
            .withMessage("fd=" + number + " expected=a number above 2");
    }

    @Test
    void rejectsADescriptorForTwoDevices() {
        assertThatIllegalArgumentException().isThrownBy(() -> ServeOrder.read("3b:02.0\nfd:3\n3b:02.1\nfd:3"))
            .withMessageStartingWith("fd:3 is there twice");
    }

    @Test
    void readsPairs() {
        assertThat(ServeOrder.read("3b:02.0\n/run/a b.sock\n0000:00:02.0\nfd:4\n3b:02.1\n./fd:4\n")).containsExactly(
            new ServeOrder("3b:02.0", new ServeOrder.Named(Path.of("/run/a b.sock"))),
            new ServeOrder("0000:00:02.0", new ServeOrder.Inherited(4)),
            new ServeOrder("3b:02.1", new ServeOrder.Named(Path.of("./fd:4").toAbsolutePath())));
    }
}
