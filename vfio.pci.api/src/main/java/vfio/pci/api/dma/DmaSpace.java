// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.dma;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ConsumerType;
import vfio.pci.api.VfioException;

/// The memory a device can reach, by I/O virtual address. May be used by any thread, never from within a register access that a client
/// waits
/// for if the memory is served by messages.
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

    /// Copies parts from device-visible memory, as [#read(long, MemorySegment, long, long)] would one after the other but at less cost, as
    /// far as that can be done without waiting. It ends before the first part that is not mapped as a whole by one mapping, may not be
    /// read, or must be asked for; the single transfer says what is wrong with that one, or waits for it. No fault is counted.
    ///
    /// @param from first part to be copied
    /// @return the part it ended before; the number of parts when that was all
    default int read(DmaParts parts, int from, MemorySegment destination) {
        return from;
    }

    /// Copies parts to device-visible memory, as [#read(DmaParts, int, MemorySegment)] does from there. Who sees the bytes of a part sees
    /// those of the parts before it. What was written is logged part by part.
    ///
    /// @param from first part to be copied
    /// @return the part it ended before; the number of parts when that was all
    default int write(DmaParts parts, int from, MemorySegment source) {
        return from;
    }
}
