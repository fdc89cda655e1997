// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;
import vfio.pci.api.VfioException;

/// Where one thread at a time reads and writes a device. A port may be handed from thread to thread, with a happens-before edge between;
/// it is never inside two calls at once, except that a mediation it has entered may use it again on the same thread.
@ProviderType
public interface DevicePort extends AutoCloseable {
    /// Reads `count` bytes of a region into the buffer, which is borrowed for the call. An access that overlaps a claim of the mediation
    /// goes there first, whole; otherwise, or when that passes it through, to the device. Allocates nothing.
    ///
    /// @param count 1 or more, all within the region
    /// @throws VfioException EINVAL for a region, offset or count that does not exist; EIO when device or mediation fail; ENODEV when the
    ///     device has gone; else what the mediation answers. The buffer's content is undefined then
    void read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// Writes `count` bytes of the buffer to a region; otherwise as [#read].
    ///
    /// @throws VfioException as [#read]
    void write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// Lends the native memory that a read of this range would copy, where it is plain memory of the device's that nobody claims or
    /// traps: large amounts go to a client that way without a copy. Counts as a read. Allocates nothing.
    ///
    /// @param count 1 or more, all within the region
    /// @param borrower called once, before this returns, on this thread; must not wait or enter the port
    /// @return false when there is no such memory: nothing was done, and [#read] is the way
    /// @throws VfioException as [#read], before the borrower was called
    default boolean lend(int region, long offset, int count, Borrower borrower) throws VfioException {
        return false;
    }

    /// Who is lent memory by [#lend].
    interface Borrower {
        /// Reads the range, and nothing outside it, and keeps no reference to the memory.
        void take(MemorySegment memory, long offset, int count);
    }

    /// Enters the port for the accesses up to [#leave()], without waiting. A device can be *held* for a short time, while what mediates it
    /// is exchanged: an access that begins then waits, and one that was begun before is waited for. Who must not wait, as the thread of a
    /// loop, enters first, and comes back when it is told to. Allocates nothing while the device is not held.
    ///
    /// @param released when this returns false, run once, by any thread, when it is worth to try again; must not wait. Forgotten when the
    ///     port is closed
    /// @return false when the device is held: nothing was entered
    default boolean enter(Runnable released) {
        return true;
    }

    /// Leaves what [#enter] entered.
    default void leave() {
    }

    /// Gives the port up; not while it is inside a call. A second call has no effect.
    @Override
    void close();
}
