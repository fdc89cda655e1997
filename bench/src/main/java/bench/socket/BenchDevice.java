// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DeviceInfo;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.IrqTrigger;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.migration.Migration;

/// A device that is nothing but the memory behind BAR 2, so that what is measured is the server.
final class BenchDevice implements VfioDevice, DevicePort {
    /// Longest read, and room for an offset.
    static final long BAR2_BYTES = 2 << 20;
    private static final int BAR2 = RegionIndex.BAR0 + 2;
    private static final int REGIONS = 9;
    private static final int IRQS = 5;

    private final PciAddress address;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(BAR2_BYTES, 0x1000);

    BenchDevice(PciAddress address) {
        this.address = address;
    }

    @Override
    public PciAddress address() {
        return address;
    }

    @Override
    public DeviceInfo info() {
        return new DeviceInfo(true, REGIONS, IRQS);
    }

    @Override
    public RegionInfo regionInfo(int index) {
        return index == BAR2 ? new RegionInfo(index, BAR2_BYTES, Set.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE), List.of())
            : RegionInfo.absent(index);
    }

    @Override
    public IrqInfo irqInfo(int index) {
        return new IrqInfo(index, 0, Set.of(), Optional.empty());
    }

    @Override
    public DevicePort port() {
        return this;
    }

    @Override
    public void read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        check(region, offset, count);
        MemorySegment.copy(memory, offset, buffer, bufferOffset, count);
    }

    @Override
    public void write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        check(region, offset, count);
        MemorySegment.copy(buffer, bufferOffset, memory, offset, count);
    }

    @Override
    public boolean lend(int region, long offset, int count, Borrower borrower) throws VfioException {
        check(region, offset, count);
        borrower.take(memory, offset, count);
        return true;
    }

    private static void check(int region, long offset, int count) throws VfioException {
        if (region != BAR2) {
            throw new VfioException(Errno.EINVAL, "region=0x%x expected=BAR 2".formatted(region));
        }
        Objects.checkFromIndexSize(offset, count, BAR2_BYTES);
    }

    private static VfioException none(String what) {
        return new VfioException(Errno.EOPNOTSUPP, what + "=none");
    }

    @Override
    public RegionMap map(int region, long offset, long length) throws VfioException {
        throw none("map");
    }

    @Override
    public Optional<OwnedFd> regionFile(int region) {
        return Optional.empty();
    }

    @Override
    public void setIrqTriggers(int index, int start, List<IrqTrigger> triggers) throws VfioException {
        triggers.forEach(IrqTrigger::close);
        throw none("irq");
    }

    @Override
    public void disableIrq(int index) {
        // There is none.
    }

    @Override
    public void maskIrq(int index, int start, int count) throws VfioException {
        throw none("irq");
    }

    @Override
    public void unmaskIrq(int index, int start, int count) throws VfioException {
        throw none("irq");
    }

    @Override
    public void fireIrq(int index, int start, int count) throws VfioException {
        throw none("irq");
    }

    @Override
    public void dmaMap(DmaMapping mapping) throws VfioException {
        throw none("dma");
    }

    @Override
    public void dmaUnmap(long iova, long size) throws VfioException {
        throw none("dma");
    }

    @Override
    public void dmaUnmapAll() {
        // There are none.
    }

    @Override
    public void reset() {
        memory.fill((byte) 0);
    }

    @Override
    public Optional<Migration> migration() {
        return Optional.empty();
    }

    @Override
    public int registerEvent(Runnable event) throws VfioException {
        throw none("event");
    }

    @Override
    public void onGone(Runnable listener) {
        // It stays.
    }

    @Override
    public void close() {
        // Once as a port, once as a device.
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
