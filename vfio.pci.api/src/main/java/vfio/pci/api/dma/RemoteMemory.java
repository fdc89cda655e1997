// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.dma;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ConsumerType;
import vfio.pci.api.VfioException;

/// Memory of a client that is reached by asking the client, as by DMA_READ and DMA_WRITE of vfio-user; one for each mapping. May be used by
/// any thread. A transfer waits for the client, for a bounded time: no lock that a register access needs may be held meanwhile, and
/// a transfer from within a register access of the same transport is refused at once.
@ConsumerType
public interface RemoteMemory extends AutoCloseable {
    /// Copies from the client.
    ///
    /// @throws VfioException EDEADLK when the caller is a thread that the client may be waiting for; ETIMEDOUT when the client does not
    ///     answer; EFAULT when it has gone or the mapping has; else what the client answers
    void read(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException;

    /// Copies to the client; otherwise as [#read].
    ///
    /// @throws VfioException as [#read]
    void write(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException;

    /// The mapping has gone: transfers in flight fail with EFAULT, and so do later ones. Does not wait. A second call has no effect.
    @Override
    void close();
}
