// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.user.wire.DeviceFeatureLayout;

/// A feature of a device that can be moved. Its own bytes follow the structure in request and answer.
abstract class Feature {
    private final long operations;

    /// @param operations [DeviceFeatureLayout#GET], [DeviceFeatureLayout#SET] or both
    Feature(long operations) {
        this.operations = operations;
    }

    /// What can be done with it.
    final long operations() {
        return operations;
    }

    /// Answers it. The answer has the structure and what this wrote after it.
    ///
    /// @param argsz most bytes the client takes
    /// @return bytes it wrote at [#answerAt]
    int get(Exchange exchange, Migration migration, long argsz) throws VfioException {
        throw new IllegalStateException("expected=a feature that can be got");
    }

    /// Carries it out.
    void set(Exchange exchange, Migration migration) throws VfioException {
        throw new IllegalStateException("expected=a feature that can be set");
    }

    /// Where the feature's own bytes are in the request.
    static long requestAt(Exchange exchange) {
        return exchange.payload() + DeviceFeatureLayout.BYTES;
    }

    /// How many of them came.
    static int requestSize(Exchange exchange) {
        return exchange.payloadSize() - DeviceFeatureLayout.BYTES;
    }

    /// Where the feature's own bytes are in the answer.
    static long answerAt(Exchange exchange) {
        return exchange.replyPayload() + DeviceFeatureLayout.BYTES;
    }

    /// Requires room for an answer of that many bytes of its own.
    ///
    /// @throws VfioException EINVAL
    static void requireRoom(long argsz, int size) throws VfioException {
        Exchange.requireArgsz(argsz, DeviceFeatureLayout.BYTES + size);
    }

    /// Requires that many bytes of the feature's own in the request.
    ///
    /// @throws VfioException EINVAL
    static void requireOwn(Exchange exchange, int size) throws VfioException {
        exchange.requireSize(DeviceFeatureLayout.BYTES + size);
    }
}
