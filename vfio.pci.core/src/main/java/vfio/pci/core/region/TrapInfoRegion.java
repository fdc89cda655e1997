// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;

/// The proposal's dynamic-trap-bar-info region (type 4, subtype 1), and behind its two fields four of our own, by which a client says that
/// it has acted. All are 32 bits, accessed at that width only.
///
/// | offset | field | access | |
/// |---|---|---|---|
/// | 0 | `dt_fd` | rw | the event that tells of a change |
/// | 4 | `trap` | r | 1 while disablable areas trap |
/// | 8 | `generation` | r | counts changes of `trap`; wraps |
/// | 12 | `acknowledged` | rw | the generation the client has acted on; it is written when nothing that traps is mapped any more |
/// | 16 | `trap_irq` | r | index of the interrupt of the same type |
/// | 20 | `areas_irq` | r | index of the interrupt whose vector n says that region n is to be described again |
///
/// A descriptor's number means nothing in another process: there the event comes by SET_IRQS on `trap_irq` or `areas_irq`, and writing
/// `dt_fd` is refused. A client in this process writes the id of an event it registered; zero takes it back.
public final class TrapInfoRegion extends Region {
    /// `dt_fd`: offset of the event's id.
    public static final int DT_FD = 0;
    /// `trap`: offset of the state.
    public static final int TRAP = 4;
    /// `generation`: offset of how often the state changed.
    public static final int GENERATION = 8;
    /// `acknowledged`: offset of what the client has acted on.
    public static final int ACKNOWLEDGED = 12;
    /// `trap_irq`: offset of an interrupt's index.
    public static final int TRAP_IRQ = 16;
    /// `areas_irq`: offset of an interrupt's index.
    public static final int AREAS_IRQ = 20;
    private static final int SIZE = 24;
    private static final int WIDTH = 4;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final RegionInfo info;
    private final int trapIrq;
    private final int areasIrq;
    private volatile Event event = Event.NONE;
    private volatile Shown shown = new Shown(false, 0);

    private record Shown(boolean trapping, int generation) {
    }

    private record Event(int id, Runnable target) {
        static final Event NONE = new Event(0, () -> { });
    }

    /// A region of this index, not trapping.
    ///
    /// @param trapIrq what `trap_irq` reads
    /// @param areasIrq what `areas_irq` reads
    public TrapInfoRegion(int index, int trapIrq, int areasIrq) {
        super(SIZE);
        this.trapIrq = trapIrq;
        this.areasIrq = areasIrq;
        info = new RegionInfo(index, SIZE, EnumSet.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE),
            List.of(RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO));
    }

    /// Shows the new state.
    public void show(boolean on, int generation) {
        shown = new Shown(on, generation);
    }

    /// Tells who registered an event that the state changed.
    public void tell() {
        event.target.run();
    }

    @Override
    public RegionInfo info() {
        return info;
    }

    @Override
    public void read(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        checkField(offset, count);
        Shown now = shown;
        buffer.set(U32, bufferOffset, switch ((int) offset) {
            case DT_FD -> event.id;
            case TRAP -> now.trapping ? 1 : 0;
            case GENERATION -> now.generation;
            case ACKNOWLEDGED -> caller.acknowledged();
            case TRAP_IRQ -> trapIrq;
            default -> areasIrq;
        });
    }

    @Override
    public void write(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        checkField(offset, count);
        int value = buffer.get(U32, bufferOffset);
        switch ((int) offset) {
            case DT_FD -> register(caller, value);
            case ACKNOWLEDGED -> acknowledge(caller, value);
            default -> throw new VfioException(Errno.EACCES, "offset=0x%x expected=a read".formatted(offset));
        }
    }

    private void acknowledge(Caller caller, int generation) throws VfioException {
        int now = shown.generation;
        if (generation != now) {
            throw new VfioException(Errno.EINVAL, "acknowledged=0x%x expected=0x%x, the generation now".formatted(generation, now));
        }
        caller.acknowledge(generation);
    }

    private void register(Caller caller, int id) throws VfioException {
        if (id == 0) {
            event = Event.NONE;
            return;
        }
        Optional<Runnable> target = caller.event(id);
        event = new Event(id, target.orElseThrow(() -> new VfioException(Errno.EOPNOTSUPP,
            "dt_fd=%d expected=the id of an event registered in this process; others use the interrupt of type 4".formatted(id))));
    }

    private static void checkField(long offset, int count) throws VfioException {
        if (count != WIDTH || offset % WIDTH != 0) {
            throw new VfioException(Errno.EINVAL, "offset=0x%x count=%d expected=a field of 4 bytes".formatted(offset, count));
        }
    }
}
