// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.Command;
import vfio.user.wire.DeviceFeatureLayout;

/// Features of a device, as transport: what the bytes mean is the caller's. Numbers are those of `VFIO_DEVICE_FEATURE_*`. For the thread of
/// the client; throws what its methods throw. What [ClientMigration] and [ClientDmaLogging] know is better asked there.
///
/// Source: QEMU's `docs/interop/vfio-user.rst`, `VFIO_USER_DEVICE_FEATURE`.
public final class DeviceFeatures {
    private static final int LONGEST = Channel.LONGEST - Channel.PAYLOAD - DeviceFeatureLayout.BYTES;

    private final Channel channel;

    DeviceFeatures(Channel channel) {
        this.channel = channel;
    }

    /// Whether the device has a feature for these operations.
    ///
    /// @param operations [DeviceFeatureLayout#GET], [DeviceFeatureLayout#SET] or both
    /// @throws VfioException what the server answered, other than ENOTTY, EINVAL, ENOSYS or EOPNOTSUPP, which mean no
    public boolean has(int feature, int operations) throws VfioException {
        try {
            call(DeviceFeatureLayout.PROBE | operations | feature, new byte[0], 0);
            return true;
        } catch (VfioException e) {
            return switch (e.errno()) {
                case ENOTTY, EINVAL, ENOSYS, EOPNOTSUPP -> false;
                default -> throw e;
            };
        }
    }

    /// DEVICE_FEATURE that gets.
    ///
    /// @param data what the feature is asked with
    /// @param room most bytes of its answer
    /// @return the feature's own bytes
    public byte[] get(int feature, byte[] data, int room) throws VfioException {
        return call(DeviceFeatureLayout.GET | feature, data, room);
    }

    /// As [#get(int, byte[], int)], of a structure of that size.
    ///
    /// @throws VfioException EPROTO for an answer of another size
    MemorySegment get(int feature, int size) throws VfioException {
        byte[] own = get(feature, new byte[0], size);
        if (own.length != size) {
            throw new VfioException(Errno.EPROTO, "feature=0x%x answer=0x%x expected=0x%x".formatted(feature, own.length, size));
        }
        return MemorySegment.ofArray(own);
    }

    /// DEVICE_FEATURE that sets.
    ///
    /// @return the feature's own bytes as they came back, no more than were sent
    public byte[] set(int feature, byte[] data) throws VfioException {
        return call(DeviceFeatureLayout.SET | feature, data, data.length);
    }

    private byte[] call(int flags, byte[] data, int room) throws VfioException {
        int most = Math.max(data.length, room);
        checkCount(most);
        DeviceFeatureLayout.encode(new DeviceFeatureLayout.DeviceFeature(DeviceFeatureLayout.BYTES + most, flags), channel.request(),
            Channel.PAYLOAD);
        MemorySegment.copy(data, 0, channel.request(), ValueLayout.JAVA_BYTE, Channel.PAYLOAD + DeviceFeatureLayout.BYTES, data.length);
        int size = channel.call(Command.DEVICE_FEATURE, DeviceFeatureLayout.BYTES + data.length, DeviceFeatureLayout.BYTES)
            - DeviceFeatureLayout.BYTES;
        if (size > most) {
            throw new VfioException(Errno.EPROTO, "feature flags=0x%x answer=0x%x expected=at most 0x%x".formatted(flags, size, most));
        }
        return channel.answer().asSlice(Channel.PAYLOAD + DeviceFeatureLayout.BYTES, size).toArray(ValueLayout.JAVA_BYTE);
    }

    private static void checkCount(int count) throws VfioException {
        if (count < 0 || count > LONGEST) {
            throw new VfioException(Errno.EINVAL, "count=0x%x expected=at most 0x%x".formatted(count, LONGEST));
        }
    }
}
