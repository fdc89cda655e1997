// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_device_info`, as `struct vfio_device_info` without capabilities.
public final class DeviceInfoLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U32.withName("argsz"), U32.withName("flags"),
        U32.withName("num_regions"), U32.withName("num_irqs")).withName("vfio_user_device_info");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `argsz` is.
    public static final long ARGSZ = HostOrder.offset(LAYOUT, "argsz");
    /// Where `flags` is.
    public static final long FLAGS = HostOrder.offset(LAYOUT, "flags");
    /// Where `num_regions` is.
    public static final long NUM_REGIONS = HostOrder.offset(LAYOUT, "num_regions");
    /// Where `num_irqs` is.
    public static final long NUM_IRQS = HostOrder.offset(LAYOUT, "num_irqs");

    /// `VFIO_DEVICE_FLAGS_RESET`: the device can be reset.
    public static final int FLAGS_RESET = 1;
    /// `VFIO_DEVICE_FLAGS_PCI`: it is a PCI device.
    public static final int FLAGS_PCI = 2;

    private DeviceInfoLayout() {
    }

    /// The fields.
    ///
    /// @param argsz u32
    /// @param flags u32
    /// @param numRegions u32
    /// @param numIrqs u32
    public record DeviceInfo(long argsz, long flags, long numRegions, long numIrqs) {
    }

    /// Reads it at that offset.
    public static DeviceInfo decode(MemorySegment segment, long offset) {
        return new DeviceInfo(HostOrder.u32(segment, offset + ARGSZ), HostOrder.u32(segment, offset + FLAGS),
            HostOrder.u32(segment, offset + NUM_REGIONS), HostOrder.u32(segment, offset + NUM_IRQS));
    }

    /// Writes it at that offset.
    public static void encode(DeviceInfo info, MemorySegment segment, long offset) {
        HostOrder.putU32(segment, offset + ARGSZ, info.argsz);
        HostOrder.putU32(segment, offset + FLAGS, info.flags);
        HostOrder.putU32(segment, offset + NUM_REGIONS, info.numRegions);
        HostOrder.putU32(segment, offset + NUM_IRQS, info.numIrqs);
    }
}
