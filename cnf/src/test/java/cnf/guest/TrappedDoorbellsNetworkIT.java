// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The same when every doorbell is a message; by night. */
@EnabledIfSystemProperty(named = "vfio.nightly", matches = "true")
final class TrappedDoorbellsNetworkIT extends NetworkScenarios {
    @Override
    String release() {
        return "";
    }

    @Override
    String doorbells() {
        return "trapped";
    }
}
