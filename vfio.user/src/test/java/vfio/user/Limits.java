// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.time.Duration;
import vfio.user.command.ClientLimits;

/// Limits that differ from the default in what a test says.
final class Limits {
    private int msgFds = ClientLimits.DEFAULT.msgFds();
    private int dataBytes = ClientLimits.DEFAULT.dataBytes();
    private int dmaMaps = ClientLimits.DEFAULT.dmaMaps();
    private long dmaBytes = ClientLimits.DEFAULT.dmaBytes();
    private Duration request = Duration.ofMinutes(5);
    private Duration transfer = Duration.ofSeconds(20);
    private ClientLimits.UnsealedFiles unsealed = ClientLimits.DEFAULT.unsealed();
    private ClientLimits.ErrorAnswers errors = ClientLimits.DEFAULT.errors();

    Limits msgFds(int value) {
        msgFds = value;
        return this;
    }

    Limits dataBytes(int value) {
        dataBytes = value;
        return this;
    }

    Limits dmaMaps(int value) {
        dmaMaps = value;
        return this;
    }

    Limits dmaBytes(long value) {
        dmaBytes = value;
        return this;
    }

    Limits request(Duration value) {
        request = value;
        return this;
    }

    Limits transfer(Duration value) {
        transfer = value;
        return this;
    }

    Limits unsealed(ClientLimits.UnsealedFiles value) {
        unsealed = value;
        return this;
    }

    Limits errors(ClientLimits.ErrorAnswers value) {
        errors = value;
        return this;
    }

    ClientLimits build() {
        return new ClientLimits(msgFds, dataBytes, dmaMaps, dmaBytes, ClientLimits.DEFAULT.faultLines(), request, transfer, unsealed,
            errors);
    }
}
