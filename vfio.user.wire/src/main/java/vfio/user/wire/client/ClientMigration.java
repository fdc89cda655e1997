// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationFlag;
import vfio.pci.api.migration.MigrationState;
import vfio.user.wire.Command;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.FeatureMigrationLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.MigDataLayout;
import vfio.user.wire.MigDataSizeLayout;
import vfio.user.wire.MigStateLayout;
import vfio.user.wire.PrecopyInfoLayout;

/// Moves the device: its states, and the bytes that are copied. What [Migration] is in process, over the socket: states and errors mean the
/// same. For the thread of the client; throws what its methods throw, ENOTTY for a device that cannot be moved, and EPROTO for an answer
/// that makes no sense.
///
/// Source: QEMU's `docs/interop/vfio-user.rst`, "Device Features", `VFIO_USER_MIG_DATA_READ` and `VFIO_USER_MIG_DATA_WRITE`; of what is not
/// in there, Linux's `linux/vfio.h`.
public final class ClientMigration {
    private static final int DATA = Channel.PAYLOAD + MigDataLayout.BYTES;
    private static final int LONGEST = Channel.LONGEST - DATA;
    private static final long NO_FD = -1;

    private final Channel channel;
    private final DeviceFeatures features;

    ClientMigration(Channel channel, DeviceFeatures features) {
        this.channel = channel;
        this.features = features;
    }

    /// Whether the device can be moved.
    public boolean available() throws VfioException {
        return features.has(DeviceFeatureLayout.MIGRATION, DeviceFeatureLayout.GET);
    }

    /// MIGRATION: what the device can do (section `VFIO_DEVICE_FEATURE_MIGRATION`). Bits that have no name here are left out.
    public Set<MigrationFlag> flags() throws VfioException {
        MemorySegment own = features.get(DeviceFeatureLayout.MIGRATION, FeatureMigrationLayout.BYTES);
        long bits = HostOrder.u64(own, FeatureMigrationLayout.FLAGS);
        Set<MigrationFlag> flags = EnumSet.noneOf(MigrationFlag.class);
        for (MigrationFlag flag : MigrationFlag.values()) {
            if ((bits & flag.bit()) != 0) {
                flags.add(flag);
            }
        }
        return flags;
    }

    /// MIG_DEVICE_STATE, got (section `VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE`).
    public MigrationState state() throws VfioException {
        MemorySegment own = features.get(DeviceFeatureLayout.MIG_DEVICE_STATE, MigStateLayout.BYTES);
        long number = HostOrder.u32(own, MigStateLayout.DEVICE_STATE);
        return MigrationState.of(number).orElseThrow(
            () -> new VfioException(Errno.EPROTO, "device_state=0x%x expected=0 to 7".formatted(number)));
    }

    /// MIG_DEVICE_STATE, set: returns when the device is in that state (sections "Direct State Transitions" and "Complex State
    /// Transitions"). After an error [#state()] says where it is.
    ///
    /// @throws VfioException EINVAL for ERROR, and where no way leads there
    public void state(MigrationState to) throws VfioException {
        byte[] own = new byte[MigStateLayout.BYTES];
        MemorySegment at = MemorySegment.ofArray(own);
        HostOrder.putU32(at, MigStateLayout.DEVICE_STATE, to.number());
        HostOrder.putU32(at, MigStateLayout.DATA_FD, NO_FD);
        features.set(DeviceFeatureLayout.MIG_DEVICE_STATE, own);
    }

    /// MIG_DATA_SIZE: bytes a copy would take (`linux/vfio.h`, `struct vfio_device_feature_mig_data_size`).
    public long stopCopyLength() throws VfioException {
        MemorySegment own = features.get(DeviceFeatureLayout.MIG_DATA_SIZE, MigDataSizeLayout.BYTES);
        return HostOrder.u64(own, MigDataSizeLayout.STOP_COPY_LENGTH);
    }

    /// What is still to be read while the device runs (`linux/vfio.h`, `struct vfio_precopy_info`), by a feature that only this project's
    /// server has, [DeviceFeatureLayout#PRECOPY_INFO].
    ///
    /// @throws VfioException EINVAL in other states than PRE_COPY and PRE_COPY_P2P
    public Migration.PreCopy preCopyInfo() throws VfioException {
        MemorySegment own = features.get(DeviceFeatureLayout.PRECOPY_INFO, PrecopyInfoLayout.BYTES);
        long initial = HostOrder.u64(own, PrecopyInfoLayout.INITIAL_BYTES);
        return new Migration.PreCopy(initial, HostOrder.u64(own, PrecopyInfoLayout.DIRTY_BYTES));
    }

    /// MIG_DATA_READ: takes the next part of the device's state (section `VFIO_USER_MIG_DATA_READ`). Allocates nothing.
    ///
    /// @param count at most so many bytes, 1 MiB or less
    /// @return how many there were; 0 at the end
    /// @throws VfioException EINVAL in a state in which there is nothing to read; ENOMSG while the device runs and there is nothing new
    public int read(MemorySegment buffer, long offset, int count) throws VfioException {
        putData(count);
        int size = channel.call(Command.MIG_DATA_READ, MigDataLayout.BYTES, MigDataLayout.BYTES) - MigDataLayout.BYTES;
        long said = HostOrder.u32(channel.answer(), Channel.PAYLOAD + MigDataLayout.SIZE);
        if (said != size || size > count) {
            throw new VfioException(Errno.EPROTO, "MIG_DATA_READ size=0x%x data=0x%x expected=at most 0x%x".formatted(said, size, count));
        }
        MemorySegment.copy(channel.answer(), DATA, buffer, offset, size);
        return size;
    }

    /// MIG_DATA_WRITE: gives the device the next part of a state (section `VFIO_USER_MIG_DATA_WRITE`). Allocates nothing.
    ///
    /// @param count 1 MiB or less
    /// @throws VfioException EINVAL in another state than RESUMING, and for a stream that is wrong; ENOSPC for one that is too long
    public void write(MemorySegment buffer, long offset, int count) throws VfioException {
        putData(count);
        MemorySegment.copy(buffer, offset, channel.request(), DATA, count);
        channel.call(Command.MIG_DATA_WRITE, MigDataLayout.BYTES + count, 0);
    }

    private void putData(int count) throws VfioException {
        if (count < 0 || count > LONGEST) {
            throw new VfioException(Errno.EINVAL, "count=0x%x expected=at most 0x%x".formatted(count, LONGEST));
        }
        HostOrder.putU32(channel.request(), Channel.PAYLOAD + MigDataLayout.ARGSZ, MigDataLayout.BYTES + (long) count);
        HostOrder.putU32(channel.request(), Channel.PAYLOAD + MigDataLayout.SIZE, count);
    }
}
