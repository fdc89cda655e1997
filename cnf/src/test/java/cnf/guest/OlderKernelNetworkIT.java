// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** The same with Linux 6.1, of Debian 12, which is fetched when it is missing; by night. */
@EnabledIfSystemProperty(named = "vfio.nightly", matches = "true")
final class OlderKernelNetworkIT extends NetworkScenarios {
    @Override
    String release() {
        return "bookworm";
    }

    @Override
    @BeforeAll
    void boot(@TempDir Path folder) throws Exception {
        NeedsGuest.fetchKernel(release());
        super.boot(folder);
    }
}
