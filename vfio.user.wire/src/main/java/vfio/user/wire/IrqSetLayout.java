// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_irq_set`; with [#DATA_BOOL] `count` bytes follow, with [#DATA_EVENTFD] files come along, `count` or none.
public final class IrqSetLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U32.withName("argsz"), U32.withName("flags"),
        U32.withName("index"), U32.withName("start"), U32.withName("count")).withName("vfio_irq_set");
    /// Its bytes without what follows.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `argsz` is.
    public static final long ARGSZ = HostOrder.offset(LAYOUT, "argsz");
    /// Where `flags` is.
    public static final long FLAGS = HostOrder.offset(LAYOUT, "flags");
    /// Where `index` is.
    public static final long INDEX = HostOrder.offset(LAYOUT, "index");
    /// Where `start` is.
    public static final long START = HostOrder.offset(LAYOUT, "start");
    /// Where `count` is.
    public static final long COUNT = HostOrder.offset(LAYOUT, "count");

    /// `VFIO_IRQ_SET_DATA_NONE`.
    public static final int DATA_NONE = 1;
    /// `VFIO_IRQ_SET_DATA_BOOL`.
    public static final int DATA_BOOL = 2;
    /// `VFIO_IRQ_SET_DATA_EVENTFD`.
    public static final int DATA_EVENTFD = 4;
    /// `VFIO_IRQ_SET_ACTION_MASK`.
    public static final int ACTION_MASK = 8;
    /// `VFIO_IRQ_SET_ACTION_UNMASK`.
    public static final int ACTION_UNMASK = 0x10;
    /// `VFIO_IRQ_SET_ACTION_TRIGGER`.
    public static final int ACTION_TRIGGER = 0x20;
    /// `VFIO_IRQ_SET_DATA_TYPE_MASK`: exactly one of these is set.
    public static final int DATA_TYPE_MASK = DATA_NONE | DATA_BOOL | DATA_EVENTFD;
    /// `VFIO_IRQ_SET_ACTION_TYPE_MASK`: exactly one of these is set.
    public static final int ACTION_TYPE_MASK = ACTION_MASK | ACTION_UNMASK | ACTION_TRIGGER;

    private IrqSetLayout() {
    }

    /// The fields.
    ///
    /// @param argsz u32
    /// @param flags u32
    /// @param index u32
    /// @param start u32
    /// @param count u32
    public record IrqSet(long argsz, long flags, long index, long start, long count) {
    }

    /// Reads it at that offset.
    public static IrqSet decode(MemorySegment segment, long offset) {
        return new IrqSet(HostOrder.u32(segment, offset + ARGSZ), HostOrder.u32(segment, offset + FLAGS),
            HostOrder.u32(segment, offset + INDEX), HostOrder.u32(segment, offset + START), HostOrder.u32(segment, offset + COUNT));
    }

    /// Writes it at that offset.
    public static void encode(IrqSet irqSet, MemorySegment segment, long offset) {
        HostOrder.putU32(segment, offset + ARGSZ, irqSet.argsz);
        HostOrder.putU32(segment, offset + FLAGS, irqSet.flags);
        HostOrder.putU32(segment, offset + INDEX, irqSet.index);
        HostOrder.putU32(segment, offset + START, irqSet.start);
        HostOrder.putU32(segment, offset + COUNT, irqSet.count);
    }
}
