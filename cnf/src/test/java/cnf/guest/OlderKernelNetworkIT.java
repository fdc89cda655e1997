// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** The same with Linux 6.1, of Debian 12, which is fetched when it is missing; by night. */
@EnabledIfSystemProperty(named = "vfio.nightly", matches = "true")
final class OlderKernelNetworkIT extends NetworkScenarios {
    private static final Pattern WAITED_IN_VAIN =
        Pattern.compile("iavf .*: (MTU change|Changing channel count timeout or) interrupted waiting for reset$");

    @Override
    String release() {
        return "bookworm";
    }

    /**
     * In Debian's 6.1 such a command waits for the reset while it holds the lock that the reset waits for: it gives up after 5 s, with a
     * warning, and then all happens that should have happened before. Both that and the warning are the driver's.
     */
    @Override
    void reconfigure(Station station, String command) throws InterruptedException {
        assertThat(station.run("net log")).isEmpty();
        station.run("(" + command + ") 2>/dev/null || net relinked " + station.name());
        station.change("wait");
        assertThat(station.run("net log")).allMatch(line -> WAITED_IN_VAIN.matcher(line).find());
    }

    @Override
    @BeforeAll
    void boot(@TempDir Path folder) throws Exception {
        NeedsGuest.fetchKernel(release());
        super.boot(folder);
    }
}
