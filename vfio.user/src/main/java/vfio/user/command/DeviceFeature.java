// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.util.Map;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.user.wire.DeviceFeatureLayout;

/// DEVICE_FEATURE: of a device that can be moved; a well-formed request for a feature that a device lacks is ENOTTY, as in Linux.
final class DeviceFeature implements Handler {
    private static final long METHODS = DeviceFeatureLayout.GET | DeviceFeatureLayout.SET;
    private static final Map<Integer, Feature> FEATURES = Map.of(
        DeviceFeatureLayout.MIGRATION, new FeatureMigration(),
        DeviceFeatureLayout.MIG_DEVICE_STATE, new FeatureMigDeviceState(),
        DeviceFeatureLayout.MIG_DATA_SIZE, new FeatureMigDataSize(),
        DeviceFeatureLayout.PRECOPY_INFO, new FeaturePrecopyInfo(),
        DeviceFeatureLayout.DMA_LOGGING_START, new FeatureDmaLoggingStart(),
        DeviceFeatureLayout.DMA_LOGGING_STOP, new FeatureDmaLoggingStop(),
        DeviceFeatureLayout.DMA_LOGGING_REPORT, new FeatureDmaLoggingReport());

    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireAtLeast(DeviceFeatureLayout.BYTES);
        exchange.requireNoFds();
        DeviceFeatureLayout.DeviceFeature asked = DeviceFeatureLayout.decode(exchange.request(), exchange.payload());
        Exchange.requireArgsz(asked.argsz(), DeviceFeatureLayout.BYTES);
        long flags = asked.flags();
        long methods = flags & METHODS;
        boolean probe = (flags & DeviceFeatureLayout.PROBE) != 0;
        if ((flags & ~(DeviceFeatureLayout.MASK | METHODS | DeviceFeatureLayout.PROBE)) != 0 || !probe && Long.bitCount(methods) != 1) {
            throw Exchange.invalid("flags", flags, "a feature with GET, SET or PROBE");
        }
        int number = (int) (flags & DeviceFeatureLayout.MASK);
        Optional<Migration> migration = exchange.device().migration();
        Feature feature = FEATURES.get(number);
        if (feature == null || migration.isEmpty()) {
            throw new VfioException(Errno.ENOTTY, "feature=0x%x the device has no such feature".formatted(number));
        }
        if ((methods & ~feature.operations()) != 0) {
            throw Exchange.invalid("flags", flags, "operations 0x%x of this feature".formatted(feature.operations()));
        }
        int own = probe ? 0 : carryOut(exchange, feature, migration.get(), asked);
        DeviceFeatureLayout.encode(new DeviceFeatureLayout.DeviceFeature(DeviceFeatureLayout.BYTES + own, flags), exchange.reply(),
            exchange.replyPayload());
        exchange.answer(DeviceFeatureLayout.BYTES + own);
    }

    /// @return bytes of the answer after the structure
    private static int carryOut(Exchange exchange, Feature feature, Migration migration, DeviceFeatureLayout.DeviceFeature asked)
            throws VfioException {
        if ((asked.flags() & DeviceFeatureLayout.GET) != 0) {
            return feature.get(exchange, migration, asked.argsz());
        }
        Exchange.requireArgsz(asked.argsz(), exchange.payloadSize());
        feature.set(exchange, migration);
        // As libvfio-user does, what was set comes back.
        int own = Feature.requestSize(exchange);
        exchange.reply().asSlice(Feature.answerAt(exchange), own).copyFrom(exchange.request().asSlice(Feature.requestAt(exchange), own));
        return own;
    }
}
