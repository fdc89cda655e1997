// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_device_feature`; what follows is the feature's own.
public final class DeviceFeatureLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U32.withName("argsz"),
        U32.withName("flags")).withName("vfio_user_device_feature");
    /// Its bytes without the feature's data.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `argsz` is.
    public static final long ARGSZ = HostOrder.offset(LAYOUT, "argsz");
    /// Where `flags` is.
    public static final long FLAGS = HostOrder.offset(LAYOUT, "flags");

    /// `VFIO_DEVICE_FEATURE_MASK`: the bits with the number of the feature.
    public static final int MASK = 0xFFFF;
    /// `VFIO_DEVICE_FEATURE_GET`.
    public static final int GET = 1 << 16;
    /// `VFIO_DEVICE_FEATURE_SET`.
    public static final int SET = 1 << 17;
    /// `VFIO_DEVICE_FEATURE_PROBE`.
    public static final int PROBE = 1 << 18;

    /// `VFIO_DEVICE_FEATURE_MIGRATION`.
    public static final int MIGRATION = 1;
    /// `VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE`.
    public static final int MIG_DEVICE_STATE = 2;
    /// `VFIO_DEVICE_FEATURE_DMA_LOGGING_START`.
    public static final int DMA_LOGGING_START = 6;
    /// `VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP`.
    public static final int DMA_LOGGING_STOP = 7;
    /// `VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT`.
    public static final int DMA_LOGGING_REPORT = 8;
    /// `VFIO_DEVICE_FEATURE_MIG_DATA_SIZE`.
    public static final int MIG_DATA_SIZE = 9;
    /// What Linux answers by an ioctl on the data descriptor, which vfio-user does not have. The number is our own, far from Linux's.
    public static final int PRECOPY_INFO = 0xF001;

    private DeviceFeatureLayout() {
    }

    /// The fields.
    ///
    /// @param argsz u32
    /// @param flags u32
    public record DeviceFeature(long argsz, long flags) {
    }

    /// Reads it at that offset.
    public static DeviceFeature decode(MemorySegment segment, long offset) {
        return new DeviceFeature(HostOrder.u32(segment, offset + ARGSZ), HostOrder.u32(segment, offset + FLAGS));
    }

    /// Writes it at that offset.
    public static void encode(DeviceFeature deviceFeature, MemorySegment segment, long offset) {
        HostOrder.putU32(segment, offset + ARGSZ, deviceFeature.argsz);
        HostOrder.putU32(segment, offset + FLAGS, deviceFeature.flags);
    }
}
