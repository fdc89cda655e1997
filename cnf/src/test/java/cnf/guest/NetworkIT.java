// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

/** The network with the usual kernel. */
final class NetworkIT extends NetworkScenarios {
    @Override
    String release() {
        return "";
    }
}
