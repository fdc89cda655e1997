// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.core.memory.DeviceMemory;

/// A BAR of the function.
public final class BarRegion extends Region {
    private final int bar;
    private final BoundFunction function;
    private final Optional<DeviceMemory> memory;
    private final List<Range> memoryLike;
    private final RegionInfo info;

    /// A BAR with the memory lent to the function for its memory-like pages.
    ///
    /// @param kept pages that must not be mapped even so
    public BarRegion(Bar bar, BoundFunction function, Optional<DeviceMemory> memory, List<Range> kept) {
        super(bar.size());
        this.bar = bar.index();
        this.function = function;
        this.memory = memory;
        this.memoryLike = without(bar.memoryLike(), kept);
        Set<RegionInfo.Flag> flags = EnumSet.of(RegionInfo.Flag.READ);
        if (bar.index() != Bar.ROM) {
            flags.add(RegionInfo.Flag.WRITE);
        }
        List<RegionCapability> capabilities = List.of();
        if (!memoryLike.isEmpty()) {
            flags.add(RegionInfo.Flag.MMAP);
            capabilities = List.of(new RegionCapability.SparseMmap(memoryLike.stream()
                .map(range -> new MmapArea(range.offset(), range.size(), false)).toList()));
        }
        this.info = new RegionInfo(bar.index(), bar.size(), flags, capabilities);
    }

    private static List<Range> without(List<Range> pages, List<Range> kept) {
        List<Range> left = pages;
        for (Range hole : kept) {
            List<Range> next = new ArrayList<>();
            for (Range range : left) {
                if (!range.overlaps(hole.offset(), hole.size())) {
                    next.add(range);
                    continue;
                }
                if (range.offset() < hole.offset()) {
                    next.add(new Range(range.offset(), hole.offset() - range.offset()));
                }
                if (hole.end() < range.end()) {
                    next.add(new Range(hole.end(), range.end() - hole.end()));
                }
            }
            left = next;
        }
        return List.copyOf(left);
    }

    @Override
    public RegionInfo info() {
        return info;
    }

    @Override
    public void read(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        function.readBar(bar, offset, buffer, bufferOffset, count);
    }

    @Override
    public void write(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        if (bar == Bar.ROM) {
            throw new VfioException(Errno.EINVAL, "region=%d offset=0x%x expected=a read of the expansion ROM".formatted(bar, offset));
        }
        function.writeBar(bar, offset, buffer, bufferOffset, count);
    }

    @Override
    public boolean lend(long offset, int count, DevicePort.Borrower borrower) {
        if (memory.isEmpty() || !isMemoryLike(offset, count) || !memory.get().enter()) {
            return false;
        }
        try {
            borrower.take(memory.get().memory(), offset, count);
            return true;
        } finally {
            memory.get().leave();
        }
    }

    private boolean isMemoryLike(long offset, int count) {
        for (int i = 0; i < memoryLike.size(); i++) {
            Range range = memoryLike.get(i);
            if (range.offset() <= offset && offset + count <= range.end()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public Optional<DeviceMemory> memory() {
        return memory;
    }

    @Override
    public List<Range> memoryLike() {
        return memoryLike;
    }
}
