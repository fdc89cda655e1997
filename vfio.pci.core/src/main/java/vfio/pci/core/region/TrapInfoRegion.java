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

/// The proposal's dynamic-trap-bar-info region (type 4, subtype 1): `dt_fd` at 0, `trap` at 4, both 32 bits, accessed at that width only.
///
/// A descriptor's number means nothing in another process: there the event comes by SET_IRQS on the interrupt of the same type, and
/// writing `dt_fd` is refused. A client in this process writes the id of an event it registered; zero takes it back.
public final class TrapInfoRegion extends Region {
    /// `dt_fd`: offset of the event's id.
    public static final int DT_FD = 0;
    /// `trap`: offset of the state.
    public static final int TRAP = 4;
    private static final int SIZE = 8;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final RegionInfo info;
    private volatile Event event = Event.NONE;
    private volatile boolean trapping;

    private record Event(int id, Runnable target) {
        static final Event NONE = new Event(0, () -> { });
    }

    /// A region of this index, not trapping.
    public TrapInfoRegion(int index) {
        super(SIZE);
        info = new RegionInfo(index, SIZE, EnumSet.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE),
            List.of(RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO));
    }

    /// Shows the new state.
    public void show(boolean on) {
        trapping = on;
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
        buffer.set(U32, bufferOffset, offset == DT_FD ? event.id : trapping ? 1 : 0);
    }

    @Override
    public void write(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        checkField(offset, count);
        if (offset == TRAP) {
            throw new VfioException(Errno.EACCES, "field=trap expected=a read");
        }
        int id = buffer.get(U32, bufferOffset);
        if (id == 0) {
            event = Event.NONE;
            return;
        }
        Optional<Runnable> target = caller.event(id);
        event = new Event(id, target.orElseThrow(() -> new VfioException(Errno.EOPNOTSUPP,
            "dt_fd=%d expected=the id of an event registered in this process; others use the interrupt of type 4".formatted(id))));
    }

    private static void checkField(long offset, int count) throws VfioException {
        if (count != 4 || offset != DT_FD && offset != TRAP) {
            throw new VfioException(Errno.EINVAL, "offset=0x%x count=%d expected=4 bytes at 0 or 4".formatted(offset, count));
        }
    }
}
