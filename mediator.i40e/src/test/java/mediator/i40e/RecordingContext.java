// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
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

/// A context that keeps what is asked of it, in order, and reads one value everywhere below.
final class RecordingContext implements MediationContext {
    final List<String> calls = new ArrayList<>();
    List<Claim> claims = List.of();
    int below;
    private boolean trapping;

    @Override
    public List<String> unmap(List<Claim> ranges) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<String> mappedBy(List<Claim> ranges) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void trap(boolean on) {
        trapping = on;
        calls.add("trap " + on);
    }

    @Override
    public void untrap() {
        trap(false);
    }

    @Override
    public void watchDoorbells(DoorbellTap subscriber) {
        throw new AssertionError("watchDoorbells");
    }

    @Override
    public void unwatchDoorbells() {
        throw new AssertionError("unwatchDoorbells");
    }

    @Override
    public boolean trapping() {
        return trapping;
    }

    @Override
    public void readBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
        calls.add("readBelow %d 0x%x %d".formatted(region, offset, count));
        buffer.set(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), bufferOffset, below);
    }

    @Override
    public void writeBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
        throw new AssertionError("writeBelow");
    }

    @Override
    public RegionInfo regionInfoBelow(int region) {
        throw new AssertionError("regionInfoBelow");
    }

    @Override
    public int addRegion(long size, Optional<SharedMemory> backing, RegionInfo info) {
        throw new AssertionError("addRegion");
    }

    @Override
    public int addIrq(int count, IrqInfo.Type type) {
        throw new AssertionError("addIrq");
    }

    @Override
    public boolean raise(int irq, int vector) {
        throw new AssertionError("raise");
    }

    @Override
    public void claim(List<Claim> all) {
        claims = List.copyOf(all);
        calls.add("claim " + all.size());
    }

    @Override
    public SharedMemory sharedMemory(String name, long size) {
        throw new AssertionError("sharedMemory");
    }

    @Override
    public DmaSpace guestMemory() {
        throw new AssertionError("guestMemory");
    }
}
