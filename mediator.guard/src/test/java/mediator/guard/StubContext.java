// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.SharedMemory;

/// The little of a context that the guard uses, written down.
final class StubContext implements MediationContext {
    final List<List<Claim>> claimed = new ArrayList<>();
    final List<List<Claim>> unmapped = new ArrayList<>();
    /// Who has every page mapped.
    List<String> mappers = List.of();
    private final RegionInfo bar0;

    StubContext(RegionInfo bar0) {
        this.bar0 = bar0;
    }

    @Override
    public RegionInfo regionInfoBelow(int region) {
        return region == 0 ? bar0 : RegionInfo.absent(region);
    }

    @Override
    public void claim(List<Claim> claims) {
        claimed.add(claims);
    }

    @Override
    public List<String> unmap(List<Claim> ranges) {
        unmapped.add(ranges);
        return mappers;
    }

    @Override
    public List<String> mappedBy(List<Claim> ranges) {
        return ranges.isEmpty() ? List.of() : mappers;
    }

    @Override
    public void readBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void writeBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int addRegion(long size, Optional<SharedMemory> backing, RegionInfo info) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int addIrq(int count, IrqInfo.Type type) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean raise(int irq, int vector) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void trap(boolean on) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void untrap() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean trapping() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void watchDoorbells(DoorbellTap subscriber) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void unwatchDoorbells() {
        throw new UnsupportedOperationException();
    }

    @Override
    public SharedMemory sharedMemory(String name, long size) {
        throw new UnsupportedOperationException();
    }

    @Override
    public DmaSpace guestMemory() {
        throw new UnsupportedOperationException();
    }
}
