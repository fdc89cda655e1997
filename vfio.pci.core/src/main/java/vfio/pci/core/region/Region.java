// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.core.memory.DeviceMemory;

/// One region without its mediation. Accesses allocate nothing and may come from many threads.
public abstract class Region {
    /// Size, as a power of two, of what a bit of [#watched(long)] stands for.
    public static final int WATCH_SHIFT = 10;

    private final long size;
    /// How far accesses may reach, as a mediation last described the region; beyond the region's own size only claims answer.
    private volatile long limit;
    /// How far accesses may reach that no claim answers.
    private volatile long reach;
    private volatile long watched;

    /// A region whose own size is this.
    protected Region(long size) {
        this.size = size;
        this.limit = size;
        this.reach = size;
    }

    /// What is known of it without a mediation.
    public abstract RegionInfo info();

    /// Reads bytes within the region's own size.
    ///
    /// @param caller who asks
    public abstract void read(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// Writes bytes within the region's own size.
    ///
    /// @param caller who asks
    public abstract void write(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// The memory behind its mappable areas, if there is any.
    public Optional<DeviceMemory> memory() {
        return Optional.empty();
    }

    /// Where the region's plain memory is: no mappable area reaches outside.
    public List<Range> memoryLike() {
        return List.of();
    }

    /// Lends the memory behind a range within the region's own size, if all of it is plain memory.
    ///
    /// @return whether the borrower was called
    public boolean lend(long offset, int count, DevicePort.Borrower borrower) {
        return false;
    }

    /// How far accesses may reach.
    public final long limit() {
        return limit;
    }

    /// A mediation described the region anew.
    public final void limit(long newLimit) {
        limit = newLimit;
        reach = Math.min(newLimit, size);
    }

    /// Says where somebody takes an interest in accesses.
    ///
    /// @param kibibytes a bit for each KiB, which stands for every 64th
    public final void watched(long kibibytes) {
        watched = kibibytes;
    }

    /// Whether an access passes [#check] and [#checkOwn], and nobody takes an interest in it: what most do. False also for some others.
    public final boolean isPlain(long offset, int count) {
        long last = offset + count - 1;
        return offset >= 0 && count > 0 && offset <= reach - count
            && (offset >> WATCH_SHIFT ^ last >> WATCH_SHIFT | watched >>> (offset >> WATCH_SHIFT) & 1) == 0;
    }

    /// Refuses what does not lie within the limit.
    ///
    /// @throws VfioException EINVAL naming region, offset, count and limit
    public final void check(int index, long offset, int count) throws VfioException {
        long end = limit;
        if (offset < 0 || count <= 0 || count > end || offset > end - count) {
            throw new VfioException(Errno.EINVAL,
                "region=%d offset=0x%x count=0x%x expected=within size 0x%x".formatted(index, offset, count, end));
        }
    }

    /// Refuses what reaches past the region's own size, where only a mediation could have answered.
    ///
    /// @throws VfioException EINVAL naming region, offset, count and size
    public final void checkOwn(int index, long offset, int count) throws VfioException {
        if (offset > size - count) {
            throw new VfioException(Errno.EINVAL,
                "region=%d offset=0x%x count=0x%x expected=within size 0x%x".formatted(index, offset, count, size));
        }
    }
}
