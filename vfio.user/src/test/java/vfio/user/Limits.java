// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.time.Duration;
import java.util.function.Consumer;
import vfio.user.command.ClientLimits;

/// Limits of which a test changes some. What a test does not say differs from the default only in that the test is patient.
final class Limits {
    /// For tests of requests that are given up: no other request takes as long, on a machine that does other things as well.
    static final Duration BOUND = Duration.ofSeconds(1);

    int msgFds = ClientLimits.DEFAULT.msgFds();
    int dataBytes = ClientLimits.DEFAULT.dataBytes();
    int dmaMaps = ClientLimits.DEFAULT.dmaMaps();
    long dmaBytes = ClientLimits.DEFAULT.dmaBytes();
    Duration request = Duration.ofMinutes(5);
    Duration transfer = Duration.ofSeconds(20);
    ClientLimits.UnsealedFiles unsealed = ClientLimits.DEFAULT.unsealed();
    ClientLimits.ErrorAnswers errors = ClientLimits.DEFAULT.errors();

    private Limits() {
    }

    static ClientLimits with(Consumer<Limits> changes) {
        Limits limits = new Limits();
        changes.accept(limits);
        return new ClientLimits(limits.msgFds, limits.dataBytes, limits.dmaMaps, limits.dmaBytes, ClientLimits.DEFAULT.faultLines(),
            limits.request, limits.transfer, limits.unsealed, limits.errors);
    }
}
