// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_irq_info`.
public final class IrqInfoLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U32.withName("argsz"), U32.withName("flags"),
        U32.withName("index"), U32.withName("count")).withName("vfio_irq_info");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `argsz` is.
    public static final long ARGSZ = HostOrder.offset(LAYOUT, "argsz");
    /// Where `flags` is.
    public static final long FLAGS = HostOrder.offset(LAYOUT, "flags");
    /// Where `index` is.
    public static final long INDEX = HostOrder.offset(LAYOUT, "index");
    /// Where `count` is.
    public static final long COUNT = HostOrder.offset(LAYOUT, "count");

    /// `VFIO_IRQ_INFO_EVENTFD`.
    public static final int EVENTFD = 1;
    /// `VFIO_IRQ_INFO_MASKABLE`.
    public static final int MASKABLE = 2;
    /// `VFIO_IRQ_INFO_AUTOMASKED`.
    public static final int AUTOMASKED = 4;
    /// `VFIO_IRQ_INFO_NORESIZE`.
    public static final int NORESIZE = 8;

    private IrqInfoLayout() {
    }

    /// The fields.
    ///
    /// @param argsz u32
    /// @param flags u32
    /// @param index u32
    /// @param count u32
    public record IrqInfo(long argsz, long flags, long index, long count) {
    }

    /// Reads it at that offset.
    public static IrqInfo decode(MemorySegment segment, long offset) {
        return new IrqInfo(HostOrder.u32(segment, offset + ARGSZ), HostOrder.u32(segment, offset + FLAGS),
            HostOrder.u32(segment, offset + INDEX), HostOrder.u32(segment, offset + COUNT));
    }

    /// Writes it at that offset.
    public static void encode(IrqInfo irqInfo, MemorySegment segment, long offset) {
        HostOrder.putU32(segment, offset + ARGSZ, irqInfo.argsz);
        HostOrder.putU32(segment, offset + FLAGS, irqInfo.flags);
        HostOrder.putU32(segment, offset + INDEX, irqInfo.index);
        HostOrder.putU32(segment, offset + COUNT, irqInfo.count);
    }
}
