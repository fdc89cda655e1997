// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.SharedMemory;

/// What a mediation's context reaches of the open device: the other side of [Context], implemented by the device.
public interface BoundDevice {
    /// Reads below the mediation.
    void readBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// Writes below the mediation.
    void writeBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException;

    /// The description below the mediation.
    RegionInfo regionInfoBelow(int region) throws VfioException;

    /// Adds a region.
    int addRegion(Context owner, long size, Optional<SharedMemory> backing, RegionInfo info);

    /// Adds an interrupt.
    int addIrq(Context owner, int count, IrqInfo.Type type);

    /// Signals a vector.
    boolean raise(int irq, int vector);

    /// The claims changed.
    void claimsChanged(Context owner);

    /// Has clients ask again what they may map, and keep out of these ranges.
    ///
    /// @return names of those that may have a part of them mapped still
    List<String> unmap(List<Claim> ranges);

    /// Names of clients that may have a part of these ranges mapped.
    List<String> mappedBy(List<Claim> ranges);

    /// Switches trapping.
    ///
    /// @throws VfioException EOPNOTSUPP when it is to be on and its owner is no longer bound
    void trap(Context owner, boolean on) throws VfioException;

    /// Switches trapping off, unless its owner is no longer bound.
    void untrap(Context owner);

    /// Whether trapping is on.
    boolean trapping();

    /// Has somebody told of doorbells, unless its owner is no longer bound.
    void watchDoorbells(Context owner, DoorbellTap subscriber) throws VfioException;

    /// Has nobody told any more.
    void unwatchDoorbells(Context owner);

    /// Memory by name.
    SharedMemory sharedMemory(String name, long size) throws VfioException;

    /// Guest memory.
    DmaSpace dma();
}
