// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.mediation.DmaWindow;
import vfio.pci.api.migration.IovaRange;

/// The mappings of one open device, as an immutable sorted snapshot. A change publishes a new one; a change that takes memory away waits
/// until no transfer uses an older one before the memory goes.
public final class DmaMap implements DmaSpace {
    private final Object lock = new Object();
    private final int limit;
    private final ClientFiles files;
    private final LongAdder bytesRead = new LongAdder();
    private final LongAdder bytesWritten = new LongAdder();
    private final LongAdder faults = new LongAdder();
    /// Older snapshots that may still be in use; guarded by the lock.
    private final List<DmaSnapshot> older = new ArrayList<>();
    private volatile WriteLog log = WriteLog.NONE;
    private volatile DmaSnapshot current = DmaSnapshot.empty();

    /// An empty map.
    ///
    /// @param limit most mappings at a time
    public DmaMap(int limit) {
        this(limit, MappedFiles.OF_THIS_PROCESS);
    }

    DmaMap(int limit, MappedFiles files) {
        this.limit = limit;
        this.files = new ClientFiles(files);
    }

    /// Who is asked before a mapping is made.
    @FunctionalInterface
    public interface Consent {
        /// Asks.
        ///
        /// @throws VfioException when it is refused
        void ask(DmaWindow window) throws VfioException;
    }

    /// Adds a mapping about which nobody is asked; the backing is taken.
    ///
    /// @param owner whose it is
    /// @throws VfioException as [vfio.pci.api.device.VfioDevice#dmaMap]
    public void map(Object owner, DmaMapping mapping) throws VfioException {
        map(owner, mapping, _ -> { });
    }

    /// Adds a mapping; the backing is taken. It can be made when the consent is asked for, without a lock held; whoever calls this sees to
    /// it that nobody else adds one meanwhile.
    ///
    /// @param owner whose it is
    /// @throws VfioException as [vfio.pci.api.device.VfioDevice#dmaMap]
    public void map(Object owner, DmaMapping mapping, Consent consent) throws VfioException {
        DmaEntry entry = DmaEntry.of(owner, files, mapping);
        boolean added = false;
        try {
            synchronized (lock) {
                checkRoomLocked();
                current.checkFree(entry);
            }
            consent.ask(entry.window());
            synchronized (lock) {
                checkRoomLocked();
                publishLocked(current.with(entry));
                added = true;
            }
        } finally {
            if (!added) {
                entry.release();
            }
        }
    }

    private void checkRoomLocked() throws VfioException {
        if (current.size() >= limit) {
            throw new VfioException(Errno.ENOSPC, "maps=%d expected=at most that many".formatted(limit));
        }
    }

    /// Takes away the mappings of this owner in this range, when nobody uses them any more.
    ///
    /// @return what was taken away
    /// @throws VfioException EINVAL when the range cuts one, is empty or wraps
    public List<DmaWindow> unmap(Object owner, long iova, long size) throws VfioException {
        if (size == 0 || Long.compareUnsigned(iova, -size) > 0) {
            throw new VfioException(Errno.EINVAL, "iova=0x%x size=0x%x expected=a range that does not wrap".formatted(iova, size));
        }
        List<DmaEntry> gone = new ArrayList<>();
        List<DmaSnapshot> used;
        synchronized (lock) {
            for (DmaEntry entry : current.touching(iova, size)) {
                if (entry.owner() != owner) {
                    continue;
                }
                if (!entry.within(iova, size)) {
                    throw new VfioException(Errno.EINVAL, "iova=0x%x size=0x%x cuts the mapping iova=0x%x size=0x%x expected=whole mappings"
                        .formatted(iova, size, entry.iova(), entry.size()));
                }
                gone.add(entry);
            }
            if (gone.isEmpty()) {
                return List.of();
            }
            publishLocked(current.without(gone));
            used = List.copyOf(older);
        }
        return end(gone, used);
    }

    /// Takes away everything of this owner.
    ///
    /// @return what was taken away
    public List<DmaWindow> unmapAll(Object owner) {
        List<DmaEntry> gone = new ArrayList<>();
        List<DmaSnapshot> used;
        synchronized (lock) {
            current.forEach(entry -> {
                if (entry.owner() == owner) {
                    gone.add(entry);
                }
            });
            if (gone.isEmpty()) {
                return List.of();
            }
            publishLocked(current.without(gone));
            used = List.copyOf(older);
        }
        return end(gone, used);
    }

    private List<DmaWindow> end(List<DmaEntry> gone, List<DmaSnapshot> used) {
        drain(used);
        gone.forEach(this::release);
        return gone.stream().map(DmaEntry::window).toList();
    }

    private void release(DmaEntry entry) {
        if (entry.writable()) {
            log.unmapped(entry.iova(), entry.size());
        }
        entry.release();
    }

    private void publishLocked(DmaSnapshot next) {
        older.removeIf(DmaSnapshot::unused);
        older.add(current);
        current = next;
    }

    /// A transfer is short and bounded, so this ends.
    private static void drain(List<DmaSnapshot> used) {
        for (DmaSnapshot snapshot : used) {
            for (int turn = 0; !snapshot.unused(); turn++) {
                if (turn < 100) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.parkNanos(20_000);
                }
            }
        }
    }

    /// Pins the current snapshot: counted in, then looked at again, so that a change either sees the count or is seen.
    private DmaSnapshot pin() {
        while (true) {
            DmaSnapshot snapshot = current;
            snapshot.enter();
            if (snapshot == current) {
                return snapshot;
            }
            snapshot.leave();
        }
    }

    @Override
    public void read(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException {
        Objects.checkFromIndexSize(destinationOffset, count, destination.byteSize());
        try {
            checkWrap(iova, count);
            for (long done = 0; done < count;) {
                done += readPart(iova + done, destination, destinationOffset + done, count - done);
            }
            bytesRead.add(count);
        } catch (VfioException e) {
            faults.increment();
            throw e;
        }
    }

    /// Reads what one mapping holds of it.
    private long readPart(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException {
        DmaEntry entry;
        long part;
        DmaSnapshot snapshot = pin();
        try {
            entry = snapshot.reach(iova, false);
            part = Math.min(count, entry.remaining(iova));
            if (entry.memory() != null) {
                MemorySegment.copy(entry.memory(), iova - entry.iova(), destination, destinationOffset, part);
                settle(entry, iova, part);
                return part;
            }
        } catch (InternalError e) {
            throw truncated(iova, count);
        } finally {
            snapshot.leave();
        }
        // Not pinned: an unmap ends such a transfer instead of waiting for it.
        entry.remote().read(iova, destination, destinationOffset, part);
        return part;
    }

    @Override
    public void write(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException {
        Objects.checkFromIndexSize(sourceOffset, count, source.byteSize());
        checkWrap(iova, count);
        try {
            for (long done = 0; done < count;) {
                done += writePart(iova + done, source, sourceOffset + done, count - done);
            }
            bytesWritten.add(count);
        } catch (VfioException e) {
            faults.increment();
            throw e;
        } finally {
            // Also what failed may have been done in part; and not before it is done, or it could be copied too early.
            log.written(iova, count);
        }
    }

    private long writePart(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException {
        DmaEntry entry;
        long part;
        DmaSnapshot snapshot = pin();
        try {
            entry = snapshot.reach(iova, true);
            part = Math.min(count, entry.remaining(iova));
            if (entry.memory() != null) {
                MemorySegment.copy(source, sourceOffset, entry.memory(), iova - entry.iova(), part);
                // While an unmap still waits for this: what comes after it says what was written there.
                log.written(iova, part);
                settle(entry, iova, part);
                return part;
            }
        } catch (InternalError e) {
            throw truncated(iova, count);
        } finally {
            snapshot.leave();
        }
        entry.remote().write(iova, source, sourceOffset, part);
        return part;
    }

    /// After a copy from or to memory that its owner can cut short: has the JVM's error for a page that was gone come here rather than in
    /// whatever this thread does next, and believes the copy only if the file is still as long.
    private void settle(DmaEntry entry, long iova, long part) throws VfioException {
        // Asking is a native call as well, and on its return the JVM delivers what it has for this thread.
        if (!entry.stillHolds(iova, part)) {
            throw truncated(iova, part);
        }
    }

    /// A transfer does not go on at address 0 when it reaches the end of all addresses.
    private static void checkWrap(long iova, long count) throws VfioException {
        if (count > 0 && Long.compareUnsigned(iova, -count) > 0) {
            throw new VfioException(Errno.EFAULT, "iova=0x%x count=0x%x expected=addresses below 2^64".formatted(iova, count));
        }
    }

    /// The client cut the file short under the map.
    private static VfioException truncated(long iova, long count) {
        return new VfioException(Errno.EFAULT, "iova=0x%x count=0x%x expected=memory that is still there".formatted(iova, count));
    }

    /// Tells this log of each write from now on, after it is done.
    public void log(WriteLog newLog) {
        log = newLog;
    }

    /// Calls its argument with each range that may be written now.
    public void writable(Consumer<IovaRange> each) {
        current.forEach(entry -> {
            if (entry.writable()) {
                each.accept(new IovaRange(entry.iova(), entry.size()));
            }
        });
    }

    /// All there are, in the order of addresses.
    public List<DmaWindow> windows() {
        List<DmaWindow> windows = new ArrayList<>();
        current.forEach(entry -> windows.add(entry.window()));
        return windows;
    }

    /// Most mappings at a time.
    public int limit() {
        return limit;
    }

    /// Number of mappings.
    public int size() {
        return current.size();
    }

    /// Bytes the device read.
    public long bytesRead() {
        return bytesRead.sum();
    }

    /// Bytes the device wrote.
    public long bytesWritten() {
        return bytesWritten.sum();
    }

    /// Transfers that failed.
    public long faults() {
        return faults.sum();
    }
}
