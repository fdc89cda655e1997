// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.migration;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import org.osgi.annotation.versioning.ProviderType;
import vfio.pci.api.VfioException;

/// What a client does to move an open device: Linux's migration protocol v2 (`linux/vfio.h`, "vfio_device_mig_state") without its
/// transport. May be used by any thread; calls are serialised per device.
///
/// The client is the arbiter: a source stays stopped until it is told to run again or is closed, a destination stays in RESUMING until it
/// is told to run.
@ProviderType
public interface Migration {
    /// What the device can do.
    Set<MigrationFlag> flags();

    /// The state now.
    MigrationState state();

    /// Goes to a state by the shortest legal way. Where a step on the way fails, the device stays where the step before led.
    ///
    /// @throws VfioException EINVAL for ERROR, a state the device does not know, or one that no way leads to, with the state unchanged; on
    ///     the way out of RESUMING EINVAL for a stream that is cut short, wrong or of another device, with the device as it was and still
    ///     in RESUMING (where nothing was written it just goes back); else what the mediator answers
    void state(MigrationState to) throws VfioException;

    /// Takes the next part of the state, in PRE_COPY, PRE_COPY_P2P or STOP_COPY.
    ///
    /// @return bytes, 1 to `count`; 0 at the end of the stream, in STOP_COPY
    /// @throws VfioException EINVAL in another state; ENOMSG in PRE_COPY while there is nothing new
    int read(MemorySegment buffer, long offset, int count) throws VfioException;

    /// Gives the next part of a state, in RESUMING.
    ///
    /// @throws VfioException EINVAL in another state and for a stream that is wrong so far; ENOSPC when it is longer than the core takes.
    ///     After that the device stays in RESUMING as it was, until a reset
    void write(MemorySegment buffer, long offset, int count) throws VfioException;

    /// Bytes that a copy would take if the device were stopped now, as well as the mediator knows.
    ///
    /// @throws VfioException what the mediator answers
    long stopCopyLength() throws VfioException;

    /// What is still to be read in PRE_COPY or PRE_COPY_P2P (`linux/vfio.h`, `struct vfio_precopy_info`).
    ///
    /// @param initialBytes that wait to be read
    /// @param dirtyBytes that would come after them
    record PreCopy(long initialBytes, long dirtyBytes) {
    }

    /// What is still to be read while the device runs.
    ///
    /// @throws VfioException EINVAL in a state other than PRE_COPY and PRE_COPY_P2P; what the mediator answers
    PreCopy preCopyInfo() throws VfioException;

    /// Begins to log which pages the device writes.
    ///
    /// @param pageSize bytes a bit stands for, a power of two, 4 KiB or more; the log may be finer
    /// @param ranges of I/O virtual addresses, page multiples that do not overlap; what is outside is not logged
    /// @throws VfioException EINVAL for a page size or range that is wrong, or when it is logged already; ENOSPC for more ranges or bytes
    ///     than the core takes
    void startLogging(long pageSize, List<IovaRange> ranges) throws VfioException;

    /// Ends it; what was logged is forgotten.
    ///
    /// @throws VfioException EINVAL when nothing is logged
    void stopLogging() throws VfioException;

    /// Says which pages in a range were written since they were last reported, and forgets it. Bits are added to those that are set in the
    /// bitmap: bit i of its little-endian 64-bit words stands for page i of the range.
    ///
    /// @param iova unsigned, a page multiple; the range need not have been asked for when logging began: pages outside are clean
    /// @param pageSize bytes a bit stands for, a power of two, 4 KiB or more, not necessarily that of the log
    /// @throws VfioException EINVAL when nothing is logged, or for a range, page size or bitmap that is wrong
    void reportDirty(long iova, long length, long pageSize, MemorySegment bitmap, long offset) throws VfioException;
}
