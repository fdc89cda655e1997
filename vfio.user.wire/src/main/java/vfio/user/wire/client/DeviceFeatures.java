// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.Command;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.MigDataLayout;

/// Features of a device and its migration data, as transport: what the bytes mean is the caller's. Numbers are those of
/// `VFIO_DEVICE_FEATURE_*`. For the thread of the client; throws what its methods throw.
public final class DeviceFeatures {
    private static final int DATA = Channel.PAYLOAD + MigDataLayout.BYTES;
    private static final int LONGEST = Channel.LONGEST - DATA;

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

    /// DEVICE_FEATURE that sets.
    public void set(int feature, byte[] data) throws VfioException {
        call(DeviceFeatureLayout.SET | feature, data, data.length);
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

    /// MIG_DATA_READ: takes the next part of the device's state.
    ///
    /// @param count at most so many bytes
    /// @return how many there were; 0 at the end
    public int readData(MemorySegment buffer, long offset, int count) throws VfioException {
        checkCount(count);
        MigDataLayout.encode(new MigDataLayout.MigData(MigDataLayout.BYTES + count, count), channel.request(), Channel.PAYLOAD);
        int size = channel.call(Command.MIG_DATA_READ, MigDataLayout.BYTES, MigDataLayout.BYTES) - MigDataLayout.BYTES;
        long said = HostOrder.u32(channel.answer(), Channel.PAYLOAD + MigDataLayout.SIZE);
        if (said != size || size > count) {
            throw new VfioException(Errno.EPROTO, "MIG_DATA_READ size=0x%x data=0x%x expected=at most 0x%x".formatted(said, size, count));
        }
        MemorySegment.copy(channel.answer(), DATA, buffer, offset, size);
        return size;
    }

    /// MIG_DATA_WRITE: gives the device the next part of its state.
    public void writeData(MemorySegment buffer, long offset, int count) throws VfioException {
        checkCount(count);
        MigDataLayout.encode(new MigDataLayout.MigData(MigDataLayout.BYTES + count, count), channel.request(), Channel.PAYLOAD);
        MemorySegment.copy(buffer, offset, channel.request(), DATA, count);
        channel.call(Command.MIG_DATA_WRITE, MigDataLayout.BYTES + count, 0);
    }

    private static void checkCount(int count) throws VfioException {
        if (count < 0 || count > LONGEST) {
            throw new VfioException(Errno.EINVAL, "count=0x%x expected=at most 0x%x".formatted(count, LONGEST));
        }
    }
}
