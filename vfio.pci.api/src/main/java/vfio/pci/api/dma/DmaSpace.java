// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.dma;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ConsumerType;
import vfio.pci.api.VfioException;

/// The memory a device can reach, by I/O virtual address. May be used by any thread, never from within a register access that a client
/// waits for if the memory is served by messages.
///
/// A transfer may cross mappings that follow on each other. It is not atomic; a fault leaves what came before it done. Every access is
/// bounded by the mapping: no address, length or timing of an unmap makes it touch other memory. An unmap returns after the transfers in
/// flight.
@ConsumerType
public interface DmaSpace {
    /// Copies from device-visible memory.
    ///
    /// @param iova unsigned 64-bit address
    /// @throws VfioException EFAULT where nothing is mapped or the memory cannot be reached, EACCES where reading is not allowed
    void read(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException;

    /// Copies to device-visible memory, and logs the pages when logging is on.
    ///
    /// @param iova unsigned 64-bit address
    /// @throws VfioException EFAULT where nothing is mapped or the memory cannot be reached, EACCES where writing is not allowed
    void write(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException;
}
