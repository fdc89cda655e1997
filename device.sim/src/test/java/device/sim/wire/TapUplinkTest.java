// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

/// Needs a system that lets its users make namespaces, and the programs `unshare` and `ip`.
class TapUplinkTest {
    private static final List<String> NAMESPACE = List.of("unshare", "--user", "--map-root-user", "--net");

    @Test
    void connectsAPortWithTheKernel() throws IOException, InterruptedException {
        assumeTrue(run(List.of("ip", "tuntap", "add", "dev", "tap6", "mode", "tap")).code == 0, "no TAP devices in a namespace here");
        Result result = run(List.of(System.getProperty("java.home") + "/bin/java", "--enable-native-access=ALL-UNNAMED", "-cp",
            System.getProperty("java.class.path"), TapGuest.class.getName()));
        assertThat(result.output).endsWith("PASSED\n");
        assertThat(result.code).isZero();
    }

    private record Result(int code, String output) {
    }

    private static Result run(List<String> command) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(NAMESPACE);
        all.addAll(command);
        Process process;
        try {
            process = new ProcessBuilder(all).redirectErrorStream(true).start();
        } catch (IOException notThere) {
            return new Result(-1, notThere.getMessage());
        }
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output);
    }

    @Test
    void refusesANameThatIsNone() {
        for (String name : List.of("", "a/b", "tap%d", "averylongname-16")) {
            assertThatThrownBy(() -> TapUplink.open(new Switch(1), name)).isInstanceOf(VfioException.class).hasMessageContaining(name);
        }
    }
}
