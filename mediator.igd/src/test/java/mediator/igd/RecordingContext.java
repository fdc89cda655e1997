// SPDX-License-Identifier: Apache-2.0
package mediator.igd;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.SharedMemory;

/// A context that keeps what is done to trapping and refuses everything the mediation has no business with.
final class RecordingContext implements MediationContext {
    final List<Boolean> traps = new ArrayList<>();
    private boolean trapping;
    /// Whether a client does not unmap what is to trap.
    boolean refusing;

    @Override
    public List<String> unmap(List<Claim> ranges) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<String> mappedBy(List<Claim> ranges) {
        throw new UnsupportedOperationException();
    }

    @Override
    public synchronized void trap(boolean on) throws VfioException {
        if (on && refusing) {
            throw new VfioException(Errno.ETIMEDOUT, "client=stubborn");
        }
        set(on);
    }

    private void set(boolean on) {
        if (on != trapping) {
            trapping = on;
            traps.add(on);
        }
    }

    @Override
    public synchronized void untrap() {
        set(false);
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
    public synchronized boolean trapping() {
        return trapping;
    }

    @Override
    public void readBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
        throw new AssertionError("readBelow");
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
    public void claim(List<Claim> claims) {
        throw new AssertionError("claim");
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
