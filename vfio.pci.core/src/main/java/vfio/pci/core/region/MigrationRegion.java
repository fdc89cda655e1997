// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.migration.MigrationState;
import vfio.pci.core.memory.DeviceMemory;
import vfio.pci.core.migration.RegionFace;

/// The proposal's migration region (type 3, subtype 1): a header of registers, then memory that a client may map, a bitmap for dirty pages
/// and a window for chunks of the state. The memory is of no authority: what was staged stays in the stream until it is taken, and what a
/// client puts in is copied once before it is looked at.
///
/// ```
/// 0x0000    header, 64 bytes
/// 0x1000    dirty bitmap, 64 KiB
/// 0x11000   data window, 1 MiB
/// ```
public final class MigrationRegion extends Region {
    /// Bytes of the region.
    public static final long SIZE = 0x11_1000;
    private static final Range BITMAP = new Range(0x1000, 0x1_0000);
    private static final Range WINDOW = new Range(0x1_1000, 0x10_0000);
    /// Bitmap and window, which lie next to each other: the proposal's user reads a word more than the bits take.
    private static final Range MEMORY = new Range(BITMAP.offset(), SIZE - BITMAP.offset());
    private static final long ALL_DIRTY = -1L;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final RegionInfo info;
    private volatile RegionFace migration;
    private final DeviceMemory memory;
    private final Object lock = new Object();
    /// Guarded by the lock, which is not held while the migration is asked for anything: what was asked and answered last.
    private DirtyQuery query = DirtyQuery.NONE;
    /// Who was told where to write the next chunk.
    private Caller resuming;

    /// A region of this index.
    ///
    /// @param memory of [#SIZE] bytes, which outlives the region
    public MigrationRegion(int index, RegionFace migration, DeviceMemory memory) {
        super(SIZE);
        this.migration = migration;
        this.memory = memory;
        this.info = new RegionInfo(index, SIZE, EnumSet.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE, RegionInfo.Flag.MMAP),
            List.of(RegionCapability.Type.MIGRATION, new RegionCapability.SparseMmap(List.of(
                new MmapArea(BITMAP.offset(), BITMAP.size(), false), new MmapArea(WINDOW.offset(), WINDOW.size(), false)))));
    }

    /// The device is moved by another mediation from now on.
    public void face(RegionFace face) {
        migration = face;
        reset();
    }

    /// The device was reset: what was asked is forgotten.
    public void reset() {
        synchronized (lock) {
            query = DirtyQuery.NONE;
            resuming = null;
        }
    }

    @Override
    public RegionInfo info() {
        return info;
    }

    @Override
    public Optional<DeviceMemory> memory() {
        return Optional.of(memory);
    }

    @Override
    public List<Range> memoryLike() {
        return List.of(BITMAP, WINDOW);
    }

    @Override
    public boolean lend(long offset, int count, DevicePort.Borrower borrower) {
        if (offset < MEMORY.offset() || !memory.enter()) {
            return false;
        }
        try {
            borrower.take(memory.memory(), offset, count);
            return true;
        } finally {
            memory.leave();
        }
    }

    // ---- access

    @Override
    public void read(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        if (offset >= MEMORY.offset()) {
            withMemory(bytes -> MemorySegment.copy(bytes, offset, buffer, bufferOffset, count));
            return;
        }
        switch (MigrationField.at(offset, count, false)) {
            case DEVICE_STATE -> buffer.set(U32, bufferOffset, RegionState.bits(migration.state()));
            case PENDING_BYTES -> buffer.set(U64, bufferOffset, pending(caller));
            case DATA_OFFSET -> buffer.set(U64, bufferOffset, dataOffset(caller));
            case DATA_SIZE -> buffer.set(U64, bufferOffset, migration.staged(caller));
            case COPIED_PFNS -> buffer.set(U64, bufferOffset, asked(caller).answer());
            case START_PFN, PAGE_SIZE, TOTAL_PFNS -> throw new AssertionError("not readable");
        }
    }

    @Override
    public void write(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        if (offset >= MEMORY.offset()) {
            withMemory(bytes -> MemorySegment.copy(buffer, bufferOffset, bytes, offset, count));
            return;
        }
        switch (MigrationField.at(offset, count, true)) {
            case DEVICE_STATE -> changeState(RegionState.of(buffer.get(U32, bufferOffset)));
            case DATA_SIZE -> handOver(caller, buffer.get(U64, bufferOffset));
            case START_PFN -> ask(DirtyQuery.from(caller, buffer.get(U64, bufferOffset)));
            case PAGE_SIZE -> ask(asked(caller).pageSize(buffer.get(U64, bufferOffset)));
            case TOTAL_PFNS -> answer(caller, buffer.get(U64, bufferOffset));
            case PENDING_BYTES, DATA_OFFSET, COPIED_PFNS -> throw new AssertionError("not writable");
        }
    }

    private void changeState(MigrationState next) throws VfioException {
        MigrationState before = migration.state();
        try {
            migration.state(next);
        } finally {
            // Also where only some of the steps were done.
            if (migration.state() != before) {
                reset();
            }
        }
    }

    /// Something done with the memory while it is there.
    private interface Use {
        void of(MemorySegment bytes) throws VfioException;
    }

    private void withMemory(Use use) throws VfioException {
        if (!memory.enter()) {
            throw new VfioException(Errno.ENODEV, "region=%d expected=an open device".formatted(info.index()));
        }
        try {
            use.of(memory.memory());
        } finally {
            memory.leave();
        }
    }

    // ---- the state

    private long pending(Caller caller) throws VfioException {
        long pending = migration.pending(caller);
        synchronized (lock) {
            if (query.isOf(caller)) {
                query = DirtyQuery.NONE;
            }
        }
        return pending;
    }

    /// Where the bits are, after a query; else where the next chunk is, or is to be put.
    private long dataOffset(Caller caller) throws VfioException {
        if (migration.state() == MigrationState.RESUMING) {
            synchronized (lock) {
                resuming = caller;
            }
            return WINDOW.offset();
        }
        synchronized (lock) {
            if (query.isOf(caller) && query.isAnswered()) {
                return BITMAP.offset();
            }
        }
        withMemory(bytes -> migration.stage(caller, bytes, WINDOW.offset(), (int) WINDOW.size()));
        return WINDOW.offset();
    }

    private void handOver(Caller caller, long size) throws VfioException {
        if (Long.compareUnsigned(size, WINDOW.size()) > 0) {
            throw new VfioException(Errno.EINVAL, "data_size=0x%x expected=at most 0x%x".formatted(size, WINDOW.size()));
        }
        synchronized (lock) {
            if (resuming != caller) {
                throw new VfioException(Errno.EINVAL, "data_size=0x%x expected=data_offset read before, in RESUMING".formatted(size));
            }
            resuming = null;
        }
        withMemory(bytes -> migration.write(caller, bytes, WINDOW.offset(), (int) size));
    }

    // ---- dirty pages

    /// The query of this client.
    private DirtyQuery asked(Caller caller) throws VfioException {
        synchronized (lock) {
            return query.of(caller);
        }
    }

    private void ask(DirtyQuery next) {
        synchronized (lock) {
            query = next;
        }
    }

    private void answer(Caller caller, long pages) throws VfioException {
        DirtyQuery asked = asked(caller).pages(pages);
        withMemory(bytes -> {
            long copied = migration.query(caller, asked.iova(), pages, asked.pageSize(), bytes, BITMAP.offset(), BITMAP.size())
                .orElse(ALL_DIRTY);
            ask(asked.answered(copied));
        });
    }
}
