// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.List;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.DeviceState;

/// The proposal's migration region (type 3, subtype 1): the core parses its header, the mediation changes state.
///
/// Nothing is saved yet: there are no pending bytes, a chunk handed over is refused, and a dirty query answers that all pages are dirty,
/// which is the
/// one answer that is never wrong.
public final class MigrationRegion extends Region {
    /// Where data would be: the first page after the header.
    static final long DATA_OFFSET = 0x1000;
    private static final long ALL_DIRTY = -1L;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final RegionInfo info;
    private final StateChange change;
    private volatile DeviceState state = DeviceState.RUNNING;
    private volatile long startPfn;
    private volatile long pageSize;
    private volatile long copiedPfns;

    /// Who carries out a change of state.
    @FunctionalInterface
    public interface StateChange {
        /// Carries it out, serialised with all else that changes the device, and leaves the new state by
        /// [MigrationRegion#state(DeviceState)].
        void change(MigrationRegion region, DeviceState to) throws VfioException;
    }

    /// A region of this index, in state RUNNING.
    public MigrationRegion(int index, StateChange change) {
        super(MigrationField.HEADER_SIZE);
        this.change = change;
        this.info = new RegionInfo(index, MigrationField.HEADER_SIZE, EnumSet.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE),
            List.of(RegionCapability.Type.MIGRATION));
    }

    /// The state now.
    public DeviceState state() {
        return state;
    }

    /// The state is this one now.
    public void state(DeviceState now) {
        state = now;
    }

    /// The device was reset: it runs.
    public void reset() {
        state = DeviceState.RUNNING;
        startPfn = 0;
        pageSize = 0;
        copiedPfns = 0;
    }

    @Override
    public RegionInfo info() {
        return info;
    }

    @Override
    public void read(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        switch (MigrationField.at(offset, count, false)) {
            case DEVICE_STATE -> buffer.set(U32, bufferOffset, state.bits());
            case DATA_OFFSET -> buffer.set(U64, bufferOffset, DATA_OFFSET);
            case COPIED_PFNS -> buffer.set(U64, bufferOffset, copiedPfns);
            case PENDING_BYTES, DATA_SIZE -> buffer.set(U64, bufferOffset, 0);
            case START_PFN, PAGE_SIZE, TOTAL_PFNS -> throw new AssertionError("not readable");
        }
    }

    @Override
    public void write(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        switch (MigrationField.at(offset, count, true)) {
            case DEVICE_STATE -> changeState(buffer.get(U32, bufferOffset));
            case DATA_SIZE -> throw new VfioException(Errno.EOPNOTSUPP, "data_size=0x%x expected=a device that takes state in"
                .formatted(buffer.get(U64, bufferOffset)));
            case START_PFN -> startPfn = buffer.get(U64, bufferOffset);
            case PAGE_SIZE -> pageSize = checkPageSize(buffer.get(U64, bufferOffset));
            case TOTAL_PFNS -> query(buffer.get(U64, bufferOffset));
            case PENDING_BYTES, DATA_OFFSET, COPIED_PFNS -> throw new AssertionError("not writable");
        }
    }

    private void changeState(int bits) throws VfioException {
        DeviceState next = DeviceState.of(bits).orElseThrow(() -> new VfioException(Errno.EINVAL,
            "device_state=0x%x expected=RUNNING 1, SAVING 2, RESUMING 4; not SAVING with RESUMING".formatted(bits)));
        change.change(this, next);
    }

    private static long checkPageSize(long size) throws VfioException {
        if (Long.bitCount(size) != 1 || size < 0x1000) {
            throw new VfioException(Errno.EINVAL, "page_size=0x%x expected=a power of two, 0x1000 or more".formatted(size));
        }
        return size;
    }

    private void query(long pages) throws VfioException {
        if (pageSize == 0 || !state.saving()) {
            throw new VfioException(Errno.EINVAL, "total_pfns=0x%x start_pfn=0x%x expected=page_size written before, in state SAVING"
                .formatted(pages, startPfn));
        }
        copiedPfns = pages == 0 ? 0 : ALL_DIRTY;
    }
}
