// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.dma.DmaSpace;

/// What the core offers one mediation of one open device. Good from the open until [Mediation#close()] returns, from any thread; after
/// that, and
/// for a mediation that was abandoned, everything throws: EOPNOTSUPP where a VfioException is declared, else IllegalStateException.
@ProviderType
public interface MediationContext {
    /// The default behaviour below: reads the region as if there were no mediation.
    ///
    /// @throws VfioException as the device answers
    void readBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// The default behaviour below: writes the region as if there were no mediation.
    ///
    /// @throws VfioException as the device answers
    void writeBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// What a client would be told of the region without the mediation.
    ///
    /// @throws VfioException EINVAL for an index that does not exist
    RegionInfo regionInfoBelow(int region) throws VfioException;

    /// Adds a region; all its accesses go to the mediation, and one it passes through fails with EIO. The index never moves while the
    /// device is open; after
    /// the mediation has gone the region is empty.
    ///
    /// @param size bytes
    /// @param backing memory whose pages a client may map at the same offsets, where the areas in `info` say so, or none
    /// @param info flags and capabilities; its index and size are ignored
    /// @return the index, 9 or more
    int addRegion(long size, Optional<SharedMemory> backing, RegionInfo info);

    /// Adds an interrupt with its vectors.
    ///
    /// @param count vectors
    /// @param type what it is
    /// @return the index, 5 or more
    int addIrq(int count, IrqInfo.Type type);

    /// Signals a vector of any interrupt of the device.
    ///
    /// @return whether somebody took it
    boolean raise(int irq, int vector);

    /// Replaces the claims. On return every access that began afterwards goes by the new ones.
    void claim(List<Claim> claims);

    /// Switches trapping of the disablable areas on or off and tells the clients that take part. A repeated call with the same value has
    /// no effect.
    /// Only with [Capability#DYNAMIC_TRAP_BAR].
    void trap(boolean on);

    /// Whether trapping is on.
    boolean trapping();

    /// Memory that the open device owns and that outlives this mediation: asking again by the same name, also from a successor, gives
    /// the same memory.
    ///
    /// @param size bytes, a multiple of the page
    /// @throws VfioException ENOMEM when there is none; EINVAL when the name exists with another size
    SharedMemory sharedMemory(String name, long size) throws VfioException;

    /// Guest memory as the device reaches it.
    DmaSpace guestMemory();
}
